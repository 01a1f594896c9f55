import type { ComponentType } from 'react';

/** A component that is fetched when it is needed, or beforehand; then it is there at once. */
export interface LazyView {
  /** Once; after a failure the next call tries again. @throws what the fetch failed of. */
  readonly load: () => Promise<ComponentType>;
  readonly loaded: () => ComponentType | undefined;
}

/** @param fetch such as `() => import('./run-view').then(({ RunView }) => RunView)`. */
export function lazyView(fetch: () => Promise<ComponentType>): LazyView {
  let view: ComponentType | undefined;
  let loading: Promise<ComponentType> | undefined;
  const load = async (): Promise<ComponentType> => {
    try {
      view = await fetch();
      return view;
    } catch (thrown) {
      loading = undefined;
      throw thrown;
    }
  };
  return { load: () => (loading ??= load()), loaded: () => view };
}

/** Loads them one after the other, each when the page has nothing else to do. What fails is told where it is shown. */
export function loadWhenIdle(views: readonly LazyView[]): void {
  const [next, ...others] = views.filter((view) => view.loaded() === undefined);
  if (next === undefined) return;
  whenIdle(() => {
    const goOn = (): void => loadWhenIdle(others);
    next.load().then(goOn, goOn);
  });
}

function whenIdle(work: () => void): void {
  // Safari, in which a headless console may be open, has none.
  if ('requestIdleCallback' in window) window.requestIdleCallback(work);
  else setTimeout(work, LATER_MS);
}

const LATER_MS = 200;
