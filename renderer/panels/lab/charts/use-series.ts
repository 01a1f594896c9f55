import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../core/contract';
import type { LabSeries, WireError } from '../../../../core/contract';
import { useSession } from '../../../session';
import { stepsWithin } from './chart-data';
import type { ChartRange, ChartSettings } from './chart-settings';

/** Points of a series that a plot asks for. */
const POINTS = 800;
/** So often at most, however often the run logs. */
const EVERY_MS = 500;

export interface SeriesAnswer {
  readonly list?: readonly LabSeries[];
  readonly error?: WireError;
}

interface SeriesQuestion {
  readonly runIds: readonly string[];
  readonly metric: string;
  readonly x: ChartSettings['x'];
  /** A part of the axis, which is asked for as finely as the whole; undefined: the whole. */
  readonly range: ChartRange | undefined;
  /** Asked again when it is another. */
  readonly revision: unknown;
}

/**
 * Points of a metric of some runs. While a part is asked for, what is known of the whole stays in view.
 * @returns also the whole, which tells the steps that a part of a time axis shows.
 */
export function useSeries({ runIds, metric, x, range, revision }: SeriesQuestion): SeriesAnswer {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const key = JSON.stringify([runIds, metric]);
  const [whole, setWhole] = useState<SeriesAnswer & { readonly key: string }>();
  const [part, setPart] = useState<{ readonly range: string; readonly list: readonly LabSeries[] }>();
  const rangeKey = JSON.stringify([key, x, range]);
  const known = whole?.key === key ? whole.list : undefined;
  const steps = range === undefined || known === undefined ? undefined : stepsWithin(known, x, range);
  const nextMs = useRef(0);
  useEffect(() => {
    if (!live || runIds.length === 0) return;
    let isOn = true;
    const ask = (): void => {
      nextMs.current = performance.now() + EVERY_MS;
      client.request('lab.series', { runIds, key: metric, points: POINTS }).then(
        (list) => {
          if (isOn) setWhole({ key, list });
        },
        (thrown: unknown) => {
          if (isOn) setWhole({ key, error: SluiceError.from(thrown).toWire() });
        },
      );
    };
    const timer = setTimeout(ask, Math.max(0, nextMs.current - performance.now()));
    return () => {
      isOn = false;
      clearTimeout(timer);
    };
    // `key` stands for `runIds` and `metric`, which may be new objects at every render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, live, key, revision]);
  const stepsKey = JSON.stringify(steps);
  useEffect(() => {
    if (!live || steps === undefined) return;
    let isOn = true;
    const settle = setTimeout(() => {
      client.request('lab.series', { runIds, key: metric, points: POINTS, ...steps }).then(
        (list) => {
          if (isOn) setPart({ range: rangeKey, list });
        },
        () => undefined, // the whole stays in view, only coarser
      );
    }, 120);
    return () => {
      isOn = false;
      clearTimeout(settle);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, live, rangeKey, stepsKey]);
  if (whole === undefined || whole.key !== key) return {};
  if (range !== undefined && part?.range === rangeKey && part.list.length > 0) return { list: part.list };
  return whole;
}
