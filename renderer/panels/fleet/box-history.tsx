import { useMemo, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';

import type { FleetBox } from '../../../core/contract';
import { formatBytes, formatMs, formatPct, formatRate, NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import type { BoxSeries, FleetStore } from '../../stores';
import { strings } from '../../strings';
import { faded, Help, Plot } from '../../ui';
import type { HelpId, PlotOptions, Token } from '../../ui';
import styles from './box-inspector.module.css';

const { fleet } = strings;

const WORDS = fleet.inspector;
const WINDOW_SEC = 300;

interface Spec {
  readonly series: BoxSeries;
  readonly help: HelpId;
  /** Colour by what it means, as in the other panels. */
  readonly token: string;
  readonly text: (value: number) => string;
  /** The axis never shows less, so that noise at rest stays small; a machine's own top where it has one. */
  readonly topOf: (box: FleetBox) => number;
}

const SPECS: readonly Spec[] = [
  {
    series: 'cpuPct',
    help: 'fleet.cpu',
    token: '--compute',
    text: (value) => formatPct(value),
    topOf: () => 100,
  },
  {
    series: 'memUsedBytes',
    help: 'fleet.memory',
    token: '--verify',
    text: formatBytes,
    topOf: ({ figures }) => figures?.memTotalBytes ?? 2 ** 28,
  },
  { series: 'diskReadBytesPerSec', help: 'fleet.disk', token: '--ssd', text: formatRate, topOf: () => 10e6 },
  {
    series: 'budgetUsedBytes',
    help: 'fleet.budget',
    token: '--resident',
    text: formatBytes,
    topOf: ({ figures }) => Math.max(2 ** 20, figures?.budgetLimitBytes ?? 0),
  },
  { series: 'roundTripMs', help: 'fleet.roundTrip', token: '--send', text: formatMs, topOf: () => 2 },
  { series: 'medianResponseMs', help: 'fleet.response', token: '--receive', text: formatMs, topOf: () => 10 },
];

function optionsOf(token: Token, color: string, top: number): PlotOptions {
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [2, 0, 2, 0],
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false, range: [-WINDOW_SEC, 0] },
      y: { range: (_chart, _low, high) => [0, Math.max(top, high || 0)] },
    },
    series: [
      {},
      {
        stroke: token(color),
        width: 1.25,
        fill: faded(token(color), 0.18),
        points: { show: false },
      },
    ],
  };
}

/** Lowest and highest of what the plot shows, in words. */
function rangeText(store: FleetStore, id: string, { series, text }: Spec): string {
  const [, values] = store.getState().history.read(id, series, WINDOW_SEC);
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return WORDS.noHistory;
  const [low, high] = [text(Math.min(...known)), text(Math.max(...known))];
  return low === high ? low : WORDS.range(low, high);
}

function Series({ box, spec }: { readonly box: FleetBox; readonly spec: Spec }): ReactNode {
  const { fleet: store } = useSession();
  const { id } = box;
  const { series } = spec;
  const top = spec.topOf(box);
  const plot = useMemo(() => {
    const { history } = store.getState();
    return {
      options: (token: Token) => optionsOf(token, spec.token, top),
      read: (): [number[], (number | null)[]] => {
        const [seconds, values] = history.read(id, series, WINDOW_SEC);
        return [seconds, values];
      },
      subscribe: (changed: () => void) => history.subscribe(id, changed),
    };
  }, [store, id, series, spec, top]);
  const range = useSyncExternalStore(plot.subscribe, () => rangeText(store, id, spec));
  const values = plot.read()[1];
  const last = values.at(-1);
  return (
    <div className={styles['series']} data-testid="box-series" data-series={series}>
      <dt>
        <Help id={spec.help}>{WORDS.series[series]}</Help>
      </dt>
      <dd>
        <b>{typeof last === 'number' ? spec.text(last) : NO_FIGURE}</b>
        <span>{range}</span>
      </dd>
      <Plot className={styles['plot']} {...plot} />
    </div>
  );
}

/** The figures of a box over the last minutes; what a plot shows stands beside it in words. */
export function BoxHistory({ box }: { readonly box: FleetBox }): ReactNode {
  const specs = SPECS.filter(
    ({ series }) => series !== 'medianResponseMs' || box.figures?.decisions !== undefined,
  );
  return (
    <section className={styles['section']}>
      <h3>{WORDS.history}</h3>
      <dl className={styles['history']}>
        {specs.map((spec) => (
          <Series key={spec.series} box={box} spec={spec} />
        ))}
      </dl>
    </section>
  );
}
