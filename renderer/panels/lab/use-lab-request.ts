import { useCallback, useEffect, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../core/contract';
import type { LabPart, RequestInput, RequestName, RequestOutput, WireError } from '../../../core/contract';
import { useSession } from '../../session';

export interface LabAnswer<T> {
  /** The last answer to this very question; stays while it is asked again, and when that fails. */
  readonly value?: T | undefined;
  /** Why the last asking failed. */
  readonly error?: WireError | undefined;
  readonly askAgain: () => void;
}

/**
 * Asks the lab while the engine is up, and again whenever that part of it may have changed. One question is under way
 * at a time; what changes meanwhile is asked once it is answered.
 * @param input undefined: nothing is asked.
 */
export function useLabRequest<N extends RequestName>(
  name: N,
  input: RequestInput<N> | undefined,
  part: LabPart,
): LabAnswer<RequestOutput<N>> {
  const { client, engine, lab } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const key = input === undefined ? undefined : JSON.stringify(input);
  const [revision, setRevision] = useState(0);
  const [answer, setAnswer] = useState<{
    readonly key: string;
    readonly value?: RequestOutput<N> | undefined;
    readonly error?: WireError;
  }>();
  useEffect(() => {
    if (!live || key === undefined) return;
    let isOn = true;
    let isAsking = false;
    let isStale = false;
    const settled = (): void => {
      isAsking = false;
      if (isOn && isStale) ask();
    };
    const ask = (): void => {
      isAsking = true;
      isStale = false;
      client
        .request(name, JSON.parse(key) as RequestInput<N>)
        .then(
          (value) => {
            if (isOn) setAnswer({ key, value });
          },
          (thrown: unknown) => {
            if (!isOn) return;
            const error = SluiceError.from(thrown).toWire();
            setAnswer((old) => ({ key, value: old?.key === key ? old.value : undefined, error }));
          },
        )
        .finally(settled);
    };
    const stop = lab.subscribe((now, before) => {
      if (now.ticks[part] === before.ticks[part] && !becameReady(now.status?.state, before.status?.state))
        return;
      if (isAsking) isStale = true;
      else ask();
    });
    ask();
    return () => {
      isOn = false;
      stop();
    };
  }, [client, lab, live, name, key, part, revision]);
  const askAgain = useCallback(() => setRevision((old) => old + 1), []);
  return answer === undefined || answer.key !== key
    ? { askAgain }
    : { value: answer.value, error: answer.error, askAgain };
}

function becameReady(now: string | undefined, before: string | undefined): boolean {
  return now === 'ready' && before !== 'ready';
}
