import { useEffect, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../core/contract';
import type { RequestInput, RequestName, RequestOutput, WireError } from '../../core/contract';
import { useSession } from './session-context';

export interface Answer<T> {
  /** The last answer to this very question; stays while it is asked again. */
  readonly value?: T;
  readonly error?: WireError;
}

/**
 * Asks the engine while it is up, again whenever `key` or `revision` changes.
 * @param key identifies the question: an answer to another key is never shown.
 * @param revision asks the same question again.
 * @param input undefined: nothing is asked.
 * @param waitMs waits this long for the input to settle.
 */
export function useRequest<N extends RequestName>(
  name: N,
  input: RequestInput<N> | undefined,
  key: string,
  revision: number | string = 0,
  waitMs = 0,
): Answer<RequestOutput<N>> {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const [answer, setAnswer] = useState<{ readonly key: string; readonly answer: Answer<RequestOutput<N>> }>();
  const isAsked = input !== undefined;
  useEffect(() => {
    if (!live || input === undefined) return;
    let current = true;
    const ask = (): void => {
      client.request(name, input).then(
        (value) => {
          if (current) setAnswer({ key, answer: { value } });
        },
        (thrown: unknown) => {
          if (current) setAnswer({ key, answer: { error: SluiceError.from(thrown).toWire() } });
        },
      );
    };
    const timer = setTimeout(ask, waitMs);
    return () => {
      current = false;
      clearTimeout(timer);
    };
    // `key` stands for `input`, which is a new object at every render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, live, isAsked, name, key, revision, waitMs]);
  return answer?.key === key ? answer.answer : {};
}
