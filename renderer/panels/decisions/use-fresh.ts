import { useEffect, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../core/contract';
import type { RequestName, Requests, RequestOutput } from '../../../core/contract';
import { useSession } from '../../session';
import type { Answer } from '../../session';

/** Requests that take nothing. */
type PlainRequest = {
  [N in RequestName]: Requests[N]['input'] extends Record<string, never> ? N : never;
}[RequestName];

/**
 * Asks the engine again whenever the deployment or its decisions changed, but at most once in `everyMs`. Nothing is
 * asked while the engine is away; the last answer stays.
 */
export function useFresh<N extends PlainRequest>(name: N, everyMs: number): Answer<RequestOutput<N>> {
  const { client, engine, offload } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const [answer, setAnswer] = useState<Answer<RequestOutput<N>>>({});
  useEffect(() => {
    if (!live) return;
    let isOn = true;
    let isStale = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (): void => {
      isStale = false;
      timer = setTimeout(() => {
        timer = undefined;
        if (isStale) ask();
      }, everyMs);
      client.request(name, {}).then(
        (value) => {
          if (isOn) setAnswer({ value });
        },
        (thrown: unknown) => {
          if (isOn) setAnswer((old) => ({ ...old, error: SluiceError.from(thrown).toWire() }));
        },
      );
    };
    const stop = offload.subscribe((now, before) => {
      if (now.deployment === before.deployment && now.decisions === before.decisions) return;
      if (timer === undefined) ask();
      else isStale = true;
    });
    ask();
    return () => {
      isOn = false;
      stop();
      clearTimeout(timer);
    };
  }, [client, offload, live, name, everyMs]);
  return answer;
}
