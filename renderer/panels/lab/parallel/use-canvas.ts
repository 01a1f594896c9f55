import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

import { watchTheme } from '../../../timeline-engine';

export interface CanvasSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A canvas that fills its frame, sharp on every screen, drawn in the next animation frame after something changed. */
export function useCanvas(
  frame: RefObject<HTMLElement | null>,
  canvas: RefObject<HTMLCanvasElement | null>,
  draw: (context: CanvasRenderingContext2D, size: CanvasSize, token: (name: string) => string) => void,
): CanvasSize {
  const [size, setSize] = useState<CanvasSize>({ widthPx: 0, heightPx: 0 });
  const [theme, setTheme] = useState(0);
  const pending = useRef(0);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const resized = new ResizeObserver(() =>
      setSize({ widthPx: element.clientWidth, heightPx: element.clientHeight }),
    );
    resized.observe(element);
    return () => resized.disconnect();
  }, [frame]);
  useEffect(() => watchTheme(() => setTheme((count) => count + 1)), []);
  useEffect(() => {
    const element = canvas.current;
    if (element === null || size.widthPx === 0) return;
    pending.current = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio;
      element.width = Math.round(size.widthPx * ratio);
      element.height = Math.round(size.heightPx * ratio);
      const context = element.getContext('2d');
      if (context === null) return;
      context.scale(ratio, ratio);
      const style = getComputedStyle(element);
      draw(context, size, (name) => style.getPropertyValue(name).trim());
    });
    return () => cancelAnimationFrame(pending.current);
  }, [canvas, draw, size, theme]);
  return size;
}
