import { useLayoutEffect, useState } from 'react';
import type { RefObject } from 'react';

/** Rows drawn beyond either edge. */
const BEYOND = 12;
/** The window moves by so many rows at once, so that a small scroll draws nothing. */
const STEP = 6;
/** Where nothing is laid out (a test), as many are drawn as a screen has room for. */
const UNMEASURED_PX = 720;

export interface RowWindow {
  readonly first: number;
  /** Not included. */
  readonly end: number;
}

/** Which of `count` rows of `rowPx` have to be in the document, as `scroll` stands. */
export function useWindow(scroll: RefObject<HTMLElement | null>, count: number, rowPx: number): RowWindow {
  const [step, setStep] = useState(0);
  const [heightPx, setHeightPx] = useState(UNMEASURED_PX);
  useLayoutEffect(() => {
    const element = scroll.current;
    if (element === null) return;
    const moved = (): void => setStep(Math.floor(element.scrollTop / rowPx / STEP));
    const resized = new ResizeObserver(() => {
      setHeightPx(element.clientHeight || UNMEASURED_PX);
      moved();
    });
    element.addEventListener('scroll', moved, { passive: true });
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', moved);
      resized.disconnect();
    };
  }, [scroll, rowPx]);
  const first = Math.max(0, step * STEP - BEYOND);
  const inView = Math.ceil(heightPx / rowPx) + STEP;
  return { first: Math.min(first, count), end: Math.min(count, step * STEP + inView + BEYOND) };
}
