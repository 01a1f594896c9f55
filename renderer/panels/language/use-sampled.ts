import { useCallback, useSyncExternalStore } from 'react';
import type { StoreApi } from 'zustand';

/**
 * A store's value at a pace that can be read: at most once in `everyMs`, the last value always. `select` has to give
 * the same object for the same state.
 */
export function useSampled<S, T>(store: StoreApi<S>, select: (state: S) => T, everyMs: number): T {
  const subscribe = useCallback(
    (changed: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stop = store.subscribe(() => {
        timer ??= setTimeout(() => {
          timer = undefined;
          changed();
        }, everyMs);
      });
      return () => {
        clearTimeout(timer);
        stop();
      };
    },
    [store, everyMs],
  );
  return useSyncExternalStore(subscribe, () => select(store.getState()));
}
