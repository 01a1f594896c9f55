import { SluiceError } from '../../../core/contract';
import type { FleetBox, NewBox, RequestInput } from '../../../core/contract';
import { showBox } from '../../session';
import type { Session } from '../../session';
import type { FleetStore } from '../../stores';
import { strings } from '../../strings';

const WORDS = strings.fleet;

/** Tries one thing; a failure is kept for the panel, under what was not done. @returns whether it worked. */
async function attempt(
  { fleet }: Session,
  title: string,
  box: string | undefined,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const { setFault } = fleet.getState().actions;
  setFault(undefined);
  try {
    await work();
    return true;
  } catch (thrown) {
    setFault({ ...(box === undefined ? {} : { box }), title, error: SluiceError.from(thrown).toWire() });
    return false;
  }
}

/** One box as the engine answered, before its next event tells it. */
function take({ fleet }: Session, box: FleetBox): void {
  fleet.getState().actions.change([box], []);
}

/** @returns whether the engine took it: then the form can be cleared. */
export function addBox(session: Session, box: NewBox): Promise<boolean> {
  return attempt(session, WORDS.add.failed, undefined, async () => {
    const added = await session.client.request('fleet.add', box);
    take(session, added);
    const { actions } = session.fleet.getState();
    actions.setAdding(false);
    // What is missing (a fingerprint, another token) is asked for there.
    if (added.state !== 'online') actions.select(added.id);
  });
}

export function renameBox(session: Session, box: string, name: string): Promise<boolean> {
  return attempt(session, WORDS.inspector.renameFailed, box, async () =>
    take(session, await session.client.request('fleet.rename', { box, name })),
  );
}

export function retryBox(session: Session, input: RequestInput<'fleet.retry'>): Promise<boolean> {
  return attempt(session, WORDS.retry.failed, input.box, async () =>
    take(session, await session.client.request('fleet.retry', input)),
  );
}

/** How long a removal can be undone. */
const UNDO_MS = 15_000;
const removals = new WeakMap<Session, ReturnType<typeof setTimeout>>();

/**
 * Takes a box off the list. Its token can't come back from the engine, so the engine is told only when the removal can't
 * be undone any more; until then a console that is closed keeps the box.
 */
export async function removeBox(session: Session, box: FleetBox): Promise<void> {
  await commitRemoval(session);
  const { actions, selected, shown, chosen } = session.fleet.getState();
  if (shown === box.id) showBox(session, undefined);
  if (selected === box.id) actions.select(undefined);
  if (chosen.has(box.id)) toggleChosen(session.fleet, [box.id]);
  actions.setRemoving(box);
  removals.set(
    session,
    setTimeout(() => void commitRemoval(session), UNDO_MS),
  );
}

export function undoRemoval(session: Session): void {
  const { removing, actions } = session.fleet.getState();
  clearTimeout(removals.get(session));
  actions.setRemoving(undefined);
  if (removing !== undefined) actions.select(removing.id);
}

export async function commitRemoval(session: Session): Promise<void> {
  const { removing, actions } = session.fleet.getState();
  clearTimeout(removals.get(session));
  if (removing === undefined) return;
  actions.setRemoving(undefined);
  await attempt(session, WORDS.removed.failed, undefined, async () => {
    await session.client.request('fleet.remove', { box: removing.id });
    actions.change([], [removing.id]);
  });
}

/** Chooses those of the boxes that are not chosen; if all are, none of them any more. */
export function toggleChosen(store: FleetStore, ids: readonly string[]): void {
  const { chosen, actions } = store.getState();
  const next = new Set(chosen);
  const isAll = ids.every((id) => chosen.has(id));
  for (const id of ids) {
    if (isAll) next.delete(id);
    else next.add(id);
  }
  actions.choose(next);
}

export function pushModel(session: Session, model: string, boxes: readonly string[]): Promise<boolean> {
  return attempt(session, WORDS.push.failed, undefined, async () => {
    const { actions } = session.fleet.getState();
    actions.updatePush(await session.client.request('fleet.push', { model, boxes }));
    actions.choose(new Set());
  });
}

export function cancelPush(session: Session, push: string): Promise<boolean> {
  return attempt(session, WORDS.push.cancelFailed, undefined, async () =>
    session.fleet.getState().actions.updatePush(await session.client.request('fleet.cancelPush', { push })),
  );
}

export function retryPush(session: Session, push: string): Promise<boolean> {
  return attempt(session, WORDS.push.retryFailed, undefined, async () =>
    session.fleet.getState().actions.updatePush(await session.client.request('fleet.retryPush', { push })),
  );
}
