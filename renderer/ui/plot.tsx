import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { watchTheme } from '../timeline-engine';

/** Value of a design token where the plot stands, e.g. `--read`. */
export type Token = (name: string) => string;
export type PlotOptions = Omit<uPlot.Options, 'width' | 'height'>;

interface PlotProps {
  readonly className: string | undefined;
  /** Called again when the theme changes. Both functions and `subscribe` have to stay the same between renders. */
  readonly options: (token: Token) => PlotOptions;
  readonly read: () => uPlot.AlignedData;
  /** Calls back whenever `read` would give other data. @returns the way to stop. */
  readonly subscribe: (changed: () => void) => () => void;
}

/**
 * A chart that follows its data outside React: a change marks it dirty, the next animation frame draws it. What it
 * shows must also stand beside it in words: it is hidden from assistive technology.
 */
export function Plot({ className, options, read, subscribe }: PlotProps): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const make = (): uPlot =>
      new uPlot({ ...sizeOf(element), ...options(tokenOf(element)) }, read(), element);
    let chart = make();
    let frame = 0;
    const schedule = (): void => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        chart.setData(read());
      });
    };
    const resized = new ResizeObserver(() => chart.setSize(sizeOf(element)));
    resized.observe(element);
    const stopTheme = watchTheme(() => {
      chart.destroy();
      chart = make();
    });
    const stopData = subscribe(schedule);
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      stopTheme();
      stopData();
      chart.destroy();
    };
  }, [options, read, subscribe]);
  return <div ref={host} className={className} aria-hidden="true" />;
}

function sizeOf(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

function tokenOf(element: HTMLElement): Token {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}
