import { SluiceError } from '../../../core/contract';
import type { FleetBox, NewBox, RequestInput } from '../../../core/contract';
import { showBox } from '../../session';
import type { Session } from '../../session';
import type { FleetStore } from '../../stores';
import { strings } from '../../strings';
import { tokenIn } from './box-text';

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

/** Under this name the keychain keeps a box's token, beside those of endpoints. */
function secretOf(box: string): string {
  return `box:${box}`;
}

/** Gives a token that the engine has taken to the keychain, so that the next start knows it. Without one, nothing. */
async function keepToken(session: Session, box: FleetBox, token: string | undefined): Promise<void> {
  const { host, endpoints } = session;
  if (token === undefined || endpoints.getState().keychain?.available !== true) return;
  await attempt(session, WORDS.add.notKept(box.name), box.id, () =>
    host.keychain.keep(secretOf(box.id), token),
  );
}

/** Shows what a new box asks for (a fingerprint, another token), once it is known that it asks. */
function selectIfRefused({ fleet }: Session, id: string): void {
  const stop = fleet.subscribe(() => settle());
  const settle = (): void => {
    const box = fleet.getState().boxes?.get(id);
    if (box?.state === 'connecting') return;
    // First: what is selected changes the store.
    stop();
    if (box !== undefined && box.state !== 'online') fleet.getState().actions.select(id);
  };
  settle();
}

/** @returns whether the engine took it: then the form can be cleared. */
export async function addBox(session: Session, box: NewBox): Promise<boolean> {
  let added: FleetBox | undefined;
  const isDone = await attempt(session, WORDS.add.failed, undefined, async () => {
    added = await session.client.request('fleet.add', box);
    take(session, added);
    session.fleet.getState().actions.setAdding(false);
    selectIfRefused(session, added.id);
  });
  if (added !== undefined) await keepToken(session, added, box.token ?? tokenIn(box.url));
  return isDone;
}

export function renameBox(session: Session, box: string, name: string): Promise<boolean> {
  return attempt(session, WORDS.inspector.renameFailed, box, async () =>
    take(session, await session.client.request('fleet.rename', { box, name })),
  );
}

export function retryBox(session: Session, input: RequestInput<'fleet.retry'>): Promise<boolean> {
  return attempt(session, WORDS.retry.failed, input.box, async () => {
    const box = await session.client.request('fleet.retry', input);
    take(session, box);
    await keepToken(session, box, input.token);
  });
}

/** How long a removal can be undone. */
const UNDO_MS = 15_000;
const removals = new WeakMap<Session, ReturnType<typeof setTimeout>>();

/**
 * Takes a box off the list. Its token can't come back from the engine, so the engine is told only when the removal can't
 * be undone any more; until then a console that is closed keeps the box.
 */
export function removeBox(session: Session, box: FleetBox): void {
  void commitRemoval(session);
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
    await session.host.keychain.forget(secretOf(removing.id));
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
