import { act, render } from '@testing-library/react';
import type { ReactNode } from 'react';

import type { RequestInput, RequestName } from '../../core/contract';
import { SessionContext } from '../session';
import { FAKE_LAB_STATUS, fakeRunRow } from './fake-lab';
import { createTestSession } from './test-session';
import type { TestSession, TestSessionOptions } from './test-session';

export interface LabBench extends TestSession {
  /** What was asked by that name, in order. */
  readonly asked: <N extends RequestName>(name: N) => readonly RequestInput<N>[];
  /** Lets everything that was asked be answered. */
  readonly settle: () => Promise<void>;
}

type Script = Parameters<TestSession['engine']['script']>[0];

/** Draws a view of the lab over a scripted engine that is up, and waits for its first answers. */
export async function showLab(
  view: ReactNode,
  script: Script,
  options: TestSessionOptions = {},
): Promise<LabBench> {
  const bench = createTestSession(options);
  const { session, engine } = bench;
  engine.script({ 'lab.status': () => FAKE_LAB_STATUS, ...script });
  const settle = (): Promise<void> =>
    act(async () => {
      // Timers of 0 ms and the promises behind them, a few deep.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    });
  session.lab.getState().actions.applyRuns({
    revision: '1',
    isWhole: true,
    runs: [fakeRunRow({ runId: 'f'.repeat(32), name: 'ana/digits/7' })],
    removed: [],
  });
  bench.setStatus({ state: 'ok' });
  render(<SessionContext value={session}>{view}</SessionContext>);
  await settle();
  const asked = <N extends RequestName>(name: N): readonly RequestInput<N>[] =>
    engine.received.filter(({ request }) => request === name).map(({ input }) => input as RequestInput<N>);
  return { ...bench, asked, settle };
}
