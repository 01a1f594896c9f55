import { useCallback, useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../../core/contract';
import type { WireError } from '../../../../../core/contract';
import { useSession } from '../../../../session';
import { EMPTY_LOG, withEarlier, withMore } from './log-text';
import type { LogText } from './log-text';

/** What is read at first, before the end, and with each "earlier". */
const PAGE_BYTES = 128 * 1024;
const WAIT_MS = 20_000;
/** Text of a quick program is put together before it is shown. */
const REST_MS = 100;

export interface FollowedLog {
  readonly log: LogText;
  /** Bytes before what is held. */
  readonly beforeBytes: number;
  readonly bytes: number;
  readonly isEnd: boolean;
  readonly isRead: boolean;
  readonly error?: WireError;
  readonly readEarlier: () => void;
  readonly again: () => void;
}

interface State {
  readonly log: LogText;
  readonly beforeBytes: number;
  readonly bytes: number;
  readonly isEnd: boolean;
  readonly isRead: boolean;
  readonly error?: WireError;
}

const START: State = { log: EMPTY_LOG, beforeBytes: 0, bytes: 0, isEnd: false, isRead: false };

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Reads a run's log from near its end on and goes on as long as it is written. @param attempt begins it anew. */
export function useLog(run: string, attempt: number): FollowedLog {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const [state, setState] = useState<State>(START);
  const [tries, setTries] = useState(0);
  const beforeBytes = useRef(0);
  useEffect(() => {
    if (!live) return;
    let isOn = true;
    const follow = async (): Promise<void> => {
      const first = await client.request('lab.log', { run, offset: -PAGE_BYTES });
      let offset = first.nextOffset;
      let { isEnd } = first;
      if (!isOn) return;
      const before = Math.max(0, offset - byteLength(first.text));
      beforeBytes.current = before;
      setState({
        log: withMore(EMPTY_LOG, first.text),
        beforeBytes: before,
        bytes: first.bytes,
        isEnd,
        isRead: true,
      });
      while (!isEnd) {
        const more = await client.request('lab.log', { run, offset, waitMs: WAIT_MS });
        // It changes in the course of the request.
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
        if (!isOn) return;
        offset = more.nextOffset;
        isEnd = more.isEnd;
        const { bytes, text } = more;
        setState((old) => ({ ...old, log: withMore(old.log, text), bytes, isEnd: more.isEnd }));
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    };
    follow().catch((thrown: unknown) => {
      if (isOn) setState((old) => ({ ...old, isRead: true, error: SluiceError.from(thrown).toWire() }));
    });
    return () => {
      isOn = false;
    };
  }, [client, live, run, attempt, tries]);
  const readEarlier = useCallback(() => {
    const until = beforeBytes.current;
    const offset = Math.max(0, until - PAGE_BYTES);
    client.request('lab.log', { run, offset }).then(
      ({ text }) => {
        if (beforeBytes.current !== until) return;
        beforeBytes.current = offset;
        // It answers with all it has from there on; what is held already is left out.
        const older = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, until - offset));
        setState((old) => ({ ...old, log: withEarlier(old.log, older), beforeBytes: offset }));
      },
      (thrown: unknown) => setState((old) => ({ ...old, error: SluiceError.from(thrown).toWire() })),
    );
  }, [client, run]);
  const again = useCallback(() => {
    setState(START);
    setTries((count) => count + 1);
  }, []);
  return { ...state, readEarlier, again };
}
