import { useSyncExternalStore } from 'react';

const EVERY_MS = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let nowMs = Date.now();

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    nowMs = Date.now();
    timer = setInterval(() => {
      nowMs = Date.now();
      for (const each of listeners) each();
    }, EVERY_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** Milliseconds since the Unix epoch, a second exact: one timer for all that count. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => nowMs);
}

/** The same without following it, for what is right to the minute. */
export function lookedAtMs(): number {
  return Date.now();
}

/** What `pick` makes of the time: drawn again only when that is another text. */
export function useNowText(pick: (nowMs: number) => string): string {
  return useSyncExternalStore(subscribe, () => pick(nowMs));
}
