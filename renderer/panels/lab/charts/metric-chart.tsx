import { useEffect, useMemo, useRef } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import type uPlot from 'uplot';
import { createStore } from 'zustand/vanilla';

import type { LabSeries } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { strings } from '../../../strings';
import { ChartFrame, FailureNote, Help, Plot } from '../../../ui';
import type { ChartTable, Token } from '../../../ui';
import { formatMetric, formatMoment } from '../lab-format';
import { chartData, valueRange, wholeRange } from './chart-data';
import { chartOptions, cursorText } from './chart-options';
import type { ChartLine } from './chart-options';
import { rangeAfterKey } from './chart-settings';
import type { ChartRange, ChartSettings } from './chart-settings';
import styles from './charts.module.css';
import { useSeries } from './use-series';

const STRINGS = strings.lab.charts;

/** Runs whose values stand at the cursor. */
const MOST_READ = 3;
const NO_SERIES: readonly LabSeries[] = [];
const NONE_HIDDEN: ReadonlySet<string> = new Set();

export interface MetricChartProps {
  readonly metric: string;
  readonly lines: readonly ChartLine[];
  /** Ids of runs that are not drawn. */
  readonly hidden?: ReadonlySet<string>;
  readonly settings: ChartSettings;
  readonly range: ChartRange | undefined;
  readonly onRange: (range: ChartRange | undefined) => void;
  readonly syncKey: string;
  /** The points are asked for again when it is another. */
  readonly revision: unknown;
}

interface Drawn {
  readonly list: readonly LabSeries[];
  readonly settings: ChartSettings;
  readonly hidden: ReadonlySet<string>;
  readonly range: ChartRange | undefined;
}

interface FeedHandlers {
  readonly zoom: (range: ChartRange | undefined) => void;
  readonly cursor: (text: string) => void;
}

/** Holds what the plot draws outside React's state, so that new points redraw and do not rebuild it. */
function createFeed(lines: readonly ChartLine[], settings: ChartSettings, syncKey: string) {
  const store = createStore<Drawn>(() => ({
    list: NO_SERIES,
    settings,
    hidden: NONE_HIDDEN,
    range: undefined,
  }));
  let handlers: FeedHandlers = { zoom: () => undefined, cursor: () => undefined };
  const onCursor = (chart: uPlot, index: number | null): void => {
    const x = index === null ? undefined : chart.data[0][index];
    if (x === undefined) {
      handlers.cursor('');
      return;
    }
    const read = lines.slice(0, MOST_READ).map((_, at) => chart.data[2 * at + 2]?.[index ?? 0]);
    const values = read.map((value) => formatMetric(value ?? undefined));
    handlers.cursor(`${cursorText(settings.x, x)}  ${values.join('  ')}`);
  };
  return {
    listen: (next: FeedHandlers) => {
      handlers = next;
    },
    set: (drawn: Drawn) => store.setState(drawn),
    options: (token: Token) =>
      chartOptions(token, {
        lines,
        settings,
        syncKey,
        range: () => store.getState().range,
        onZoom: (range) => handlers.zoom(range),
        onCursor,
      }),
    read: () => {
      const { list, hidden } = store.getState();
      const byRun = new Map(list.map((series) => [series.runId, series]));
      const all = lines.map(({ runId }) => byRun.get(runId) ?? emptySeries(runId));
      return chartData(all, settings, hidden);
    },
    subscribe: (changed: () => void) => store.subscribe(changed),
  };
}

const NOTHING = new Float64Array(0);

function emptySeries(runId: string): LabSeries {
  return { runId, key: '', step: NOTHING, timestampMs: NOTHING, value: NOTHING };
}

function Canvas(props: MetricChartProps & { readonly list: readonly LabSeries[] }): ReactNode {
  const { lines, settings, syncKey, list, range, onRange, hidden = NONE_HIDDEN } = props;
  const readout = useRef<HTMLOutputElement>(null);
  // The lines are new objects at every render; what they say decides.
  const linesKey = JSON.stringify(lines);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const feed = useMemo(() => createFeed(lines, settings, syncKey), [linesKey, settings, syncKey]);
  useEffect(() => {
    feed.listen({
      zoom: onRange,
      cursor: (text) => {
        if (readout.current !== null) readout.current.textContent = text;
      },
    });
  }, [feed, onRange]);
  useEffect(() => feed.set({ list, settings, hidden, range }), [feed, list, settings, hidden, range]);
  const onKey = (event: KeyboardEvent): void => {
    const whole = wholeRange(list, settings.x);
    if (whole === undefined || event.ctrlKey || event.metaKey) return;
    const next = rangeAfterKey(event.key, range ?? whole, range === undefined ? whole : widest(whole, range));
    if (next === 'none') return;
    event.preventDefault();
    event.stopPropagation();
    onRange(next);
  };
  return (
    <div
      role="group"
      tabIndex={0}
      aria-label={STRINGS.chart(props.metric)}
      className={styles['canvas']}
      onKeyDown={onKey}
    >
      <output ref={readout} className={styles['readout']} aria-hidden="true" />
      <Plot className={styles['plot']} options={feed.options} read={feed.read} subscribe={feed.subscribe} />
    </div>
  );
}

/** While a part is in view its points alone are known: there may be more beyond them. */
function widest(known: ChartRange, shown: ChartRange): ChartRange {
  const span = shown.to - shown.from;
  return { from: Math.min(known.from, shown.from - span), to: Math.max(known.to, shown.to + span) };
}

/** The points as figures: of several runs, one below the other. */
function pointTable(lines: readonly ChartLine[], list: readonly LabSeries[]): ChartTable {
  const labels = new Map(lines.map(({ runId, label }) => [runId, label]));
  const rows = list.flatMap(({ runId, step, timestampMs, value }) =>
    Array.from(step, (at, index) => [
      labels.get(runId) ?? runId,
      at,
      formatMoment(timestampMs[index]!),
      value[index]!,
    ]),
  );
  const columns = [STRINGS.run, STRINGS.step, STRINGS.time, STRINGS.value];
  return lines.length > 1
    ? { columns, rows }
    : { columns: columns.slice(1), rows: rows.map((cells) => cells.slice(1)) };
}

/** Last value and range in words, of one run. */
function summary(list: readonly LabSeries[]): string | undefined {
  const [series] = list;
  if (series === undefined || list.length > 1 || series.value.length === 0) return undefined;
  const last = STRINGS.last(formatMetric(series.value.at(-1)), formatCount(series.step.at(-1) ?? 0));
  const range = valueRange(series.value);
  if (range === undefined) return last;
  return `${last}, ${STRINGS.range(formatMetric(range.low), formatMetric(range.high))}`;
}

/** One metric of some runs: a plot, or its points as a table. */
export function MetricChart(props: MetricChartProps): ReactNode {
  const { metric, lines, settings, range, revision } = props;
  const { list, error } = useSeries({
    runIds: lines.map(({ runId }) => runId),
    metric,
    x: settings.x,
    range,
    revision,
  });
  const words = summary(list ?? NO_SERIES);
  return (
    <section className={styles['chart']} aria-label={metric} data-testid="metric-chart" data-metric={metric}>
      <header>
        <b title={metric}>
          <Help id="lab.chart">{metric}</Help>
        </b>
        <span title={words}>{words}</span>
      </header>
      {error !== undefined && <FailureNote title={STRINGS.failed(metric)} error={error} />}
      {list === undefined && error === undefined && <p className={styles['waiting']}>{STRINGS.waiting}</p>}
      {list !== undefined && (
        <ChartFrame
          className={styles['framed']}
          title={metric}
          name={words === undefined ? metric : `${metric}. ${words}`}
          table={() => pointTable(lines, list)}
          lines={[]}
        >
          <Canvas {...props} list={list} />
        </ChartFrame>
      )}
    </section>
  );
}
