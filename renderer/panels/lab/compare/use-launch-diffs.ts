import { useCallback, useEffect, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../core/contract';
import type { LabRunDifference, LabRunRow, WireError } from '../../../../core/contract';
import { useSession } from '../../../session';
import { comparedLaunches } from './launch-differences';

export interface LaunchDiffs {
  /** By run id, how each differs from the first; undefined until all are answered. */
  readonly diffs?: ReadonlyMap<string, readonly LabRunDifference[]>;
  readonly error?: WireError;
  readonly askAgain: () => void;
}

interface Answer {
  readonly key: string;
  readonly diffs?: ReadonlyMap<string, readonly LabRunDifference[]>;
  readonly error?: WireError;
}

/** Asks once for the same runs: what a run was launched with never changes. */
export function useLaunchDiffs(rows: readonly LabRunRow[]): LaunchDiffs {
  const { client, engine, lab } = useSession();
  const isLive = useStore(engine, (state) => state.status.state === 'ok');
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<Answer>();
  const key = comparedLaunches(rows)
    .map(({ runId }) => runId)
    .join(',');
  const isAnswered = answer?.key === key && answer.diffs !== undefined;
  useEffect(() => {
    const [from = '', ...others] = key.split(',');
    if (!isLive || isAnswered || others.length === 0) return;
    let isOn = true;
    const one = async (to: string) => [to, await client.request('lab.diff', { from, to })] as const;
    Promise.all(others.map(one)).then(
      (diffs) => {
        if (isOn) setAnswer({ key, diffs: new Map(diffs) });
      },
      (thrown: unknown) => {
        if (isOn) setAnswer({ key, error: SluiceError.from(thrown).toWire() });
      },
    );
    return () => {
      isOn = false;
    };
  }, [client, isLive, isAnswered, key, attempt]);
  const askAgain = useCallback(() => {
    setAnswer(undefined);
    setAttempt((old) => old + 1);
  }, []);
  const hasFailed = answer?.error !== undefined;
  useEffect(() => {
    if (!hasFailed) return;
    // A lab that is back can answer.
    return lab.subscribe((now, before) => {
      if (now.status?.state === 'ready' && before.status?.state !== 'ready') askAgain();
    });
  }, [lab, hasFailed, askAgain]);
  if (answer?.key !== key) return { askAgain };
  const { diffs, error } = answer;
  return { ...(diffs && { diffs }), ...(error && { error }), askAgain };
}
