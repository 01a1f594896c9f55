import { SluiceError } from '../../../../core/contract';
import type { LabFork, LabRunRow } from '../../../../core/contract';
import type { Session } from '../../../session';
import { strings } from '../../../strings';
import { isOpen } from './run-values';

const STRINGS = strings.lab.runs;

const WORDS = STRINGS.faults;

/** Tries one thing; a failure is kept for the panel, under what was not done. @returns whether it worked. */
async function attempt(session: Session, title: string, work: () => Promise<unknown>): Promise<boolean> {
  const { setFault } = session.lab.getState().actions;
  setFault(undefined);
  try {
    await work();
    return true;
  } catch (thrown) {
    setFault({ title, error: SluiceError.from(thrown).toWire() });
    return false;
  }
}

/** Those that a stop would end. */
export function stoppable(rows: readonly LabRunRow[]): readonly LabRunRow[] {
  return rows.filter(({ isLaunched, state }) => isLaunched && isOpen(state) && state !== 'stopping');
}

export async function stopRuns(session: Session, rows: readonly LabRunRow[]): Promise<void> {
  const { updateRun } = session.lab.getState().actions;
  for (const { runId, name } of stoppable(rows)) {
    const stopped = await attempt(session, WORDS.stop(name), async () => {
      updateRun(await session.client.request('lab.stop', { run: runId }));
    });
    if (!stopped) return;
  }
}

export async function resumeRun(session: Session, { runId, name }: LabRunRow): Promise<void> {
  await attempt(session, WORDS.resume(name), async () => {
    session.lab.getState().actions.updateRun(await session.client.request('lab.resume', { run: runId }));
  });
}

/** For good. @returns whether they are gone. */
export async function removeRuns(session: Session, rows: readonly LabRunRow[]): Promise<boolean> {
  const runs = rows.map(({ runId }) => runId);
  const names = STRINGS.some(
    rows.map(({ name }) => name),
    2,
  );
  return attempt(session, WORDS.remove(names), async () => {
    await session.client.request('lab.remove', { runs });
    const { revision = '', actions } = session.lab.getState();
    actions.applyRuns({ revision, isWhole: false, runs: [], removed: runs });
  });
}

/** Starts a run from another one and shows it. @throws SluiceError */
export async function forkRun(session: Session, fork: LabFork): Promise<void> {
  const row = await session.client.request('lab.fork', fork);
  const { updateRun, open } = session.lab.getState().actions;
  updateRun(row);
  open({ kind: 'run', runId: row.runId });
}

export async function startExample(session: Session): Promise<void> {
  await attempt(session, STRINGS.exampleFailed, async () => {
    const row = await session.client.request('lab.startExample', {});
    const { updateRun, open } = session.lab.getState().actions;
    updateRun(row);
    open({ kind: 'run', runId: row.runId });
  });
}
