import { SluiceError } from '../../core/contract';
import type { Session } from './session-types';

/** Sessions whose runs are being asked for, and whether they changed meanwhile. */
const asking = new WeakMap<Session, { isStale: boolean }>();

/** Brings the rows up to date. One request at a time: what changes meanwhile is asked for once it is answered. */
export async function loadLabRuns(session: Session): Promise<void> {
  const inFlight = asking.get(session);
  if (inFlight !== undefined) {
    inFlight.isStale = true;
    return;
  }
  const mine = { isStale: false };
  asking.set(session, mine);
  const { lab, client } = session;
  try {
    do {
      mine.isStale = false;
      const { revision } = lab.getState();
      const changes = await client.request('lab.runs', revision === undefined ? {} : { since: revision });
      lab.getState().actions.applyRuns(changes);
      // It changes in the course of the request.
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    } while (mine.isStale);
  } catch (thrown) {
    lab.getState().actions.failLoading(SluiceError.from(thrown).toWire());
  } finally {
    asking.delete(session);
  }
}

/** Someone looks at the lab: from now on its rows are kept. The first time it starts the lab. */
export function watchLab(session: Session): void {
  const { lab, engine } = session;
  if (lab.getState().isWatched) return;
  lab.getState().actions.watch();
  if (engine.getState().status.state === 'ok') void loadLabRuns(session);
}

/** Starts the lab once more where it failed. */
export async function startLab(session: Session): Promise<void> {
  const { lab, client } = session;
  try {
    lab.getState().actions.setStatus(await client.request('lab.start', {}));
    await loadLabRuns(session);
  } catch (thrown) {
    lab.getState().actions.failLoading(SluiceError.from(thrown).toWire());
  }
}

/** What a fresh engine is asked about the lab. */
export function loadLab(session: Session): readonly Promise<unknown>[] {
  const { lab, client } = session;
  lab.getState().actions.forgetRevision();
  return [
    client.request('lab.status', {}).then(lab.getState().actions.setStatus, (thrown: unknown) => {
      lab.getState().actions.failLoading(SluiceError.from(thrown).toWire());
    }),
    ...(lab.getState().isWatched ? [loadLabRuns(session)] : []),
  ];
}

/** Keeps the lab as the engine tells it. */
export function followLab(session: Session): void {
  const { client, lab } = session;
  const { actions } = lab.getState();
  client.on('lab', (status) => {
    const before = lab.getState().status?.state;
    actions.setStatus(status);
    if (status.state !== 'ready' || before === 'ready' || !lab.getState().isWatched) return;
    actions.forgetRevision();
    void loadLabRuns(session);
  });
  client.on('labChange', ({ parts }) => {
    actions.tick(parts);
    if (parts.includes('runs') && lab.getState().isWatched) void loadLabRuns(session);
  });
}
