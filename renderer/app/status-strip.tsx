import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { RunRecord } from '../../core/contract';
import {
  formatBytesOf,
  formatCount,
  formatFixed,
  formatMs,
  formatPct,
  formatRate,
  NO_FIGURE,
} from '../format';
import { PANELS } from '../panels';
import { useSession } from '../session';
import { strings } from '../strings';
import type { HelpId } from '../ui';
import styles from './status-strip.module.css';

const STRINGS = strings.app;

const WORDS = STRINGS.strip;

function runText(run: RunRecord | undefined): string {
  if (run === undefined) return WORDS.noRun;
  if (run.state === 'failed') return WORDS.failedRun;
  if (run.stats === undefined) return run.state === 'cancelled' ? WORDS.cancelledRun : WORDS.running;
  const figures = `${formatMs(run.stats.lastMs)}, ${WORDS.stall} ${formatMs(run.stats.lastStallMs)}`;
  return `${run.state === 'running' ? WORDS.running : WORDS.lastRun} ${figures}`;
}

interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  /** The value's place in digits, so that what stands behind it keeps its own. */
  readonly digits: number;
  /** Panel that explains the figure, if this build has it. */
  readonly opens: string;
  readonly help: HelpId;
}

function Figure({ label, value, unit, digits, opens, help }: FigureProps): ReactNode {
  const { layout } = useSession();
  const text = (
    <>
      {label} <b style={{ minWidth: `${digits}ch` }}>{value}</b>
      {unit !== undefined && ` ${unit}`}
    </>
  );
  if (!PANELS.some(({ id }) => id === opens))
    return (
      <span data-help={help} className={styles['figure']}>
        {text}
      </span>
    );
  return (
    <button
      type="button"
      data-help={help}
      className={styles['figure']}
      onClick={() => layout.getState().actions.setPanel(opens)}
    >
      {text}
    </button>
  );
}

/** Health of the box and the last run; each figure opens the panel that explains it. */
export function StatusStrip(): ReactNode {
  const { telemetry, runs, layout, engine } = useSession();
  const latest = useStore(telemetry.latest, (state) => state.latest);
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const lastRun = useStore(runs, (state) => state.runs[0]);
  const values = latest?.values;
  const queue = values?.diskQueue ?? Number.NaN;
  const runPanel =
    PANELS.some(({ id }) => id === 'timeline') && lastRun?.hasTrace === true ? 'timeline' : 'run';
  return (
    <footer className={styles['strip']} data-testid="status-strip" data-live={live}>
      <Figure
        help="strip.cpu"
        label={WORDS.cpu}
        value={formatPct(values?.cpuPct ?? Number.NaN)}
        digits={4.5}
        opens="device"
      />
      <Figure
        help="strip.gpu"
        label={WORDS.gpu}
        value={formatPct(values?.gpuPct ?? Number.NaN)}
        digits={4.5}
        opens="device"
      />
      <Figure
        help="strip.memory"
        label={WORDS.memory}
        value={formatBytesOf(values?.memUsedBytes ?? Number.NaN, values?.memTotalBytes ?? Number.NaN)}
        digits={11}
        opens="device"
      />
      <Figure
        help="strip.ssd"
        label={WORDS.ssd}
        value={formatRate(values?.diskReadBytesPerSec ?? Number.NaN)}
        unit={WORDS.read}
        digits={7.5}
        opens="device"
      />
      <Figure
        help="strip.queue"
        label={WORDS.queue}
        value={Number.isFinite(queue) ? formatFixed(queue, 1) : NO_FIGURE}
        digits={3}
        opens="device"
      />
      {latest !== undefined && latest.dropped > 0 && (
        <span className={styles['dropped']}>
          {formatCount(latest.dropped)} {WORDS.dropped}
        </span>
      )}
      <button
        type="button"
        data-help="strip.run"
        className={styles['run']}
        data-state={lastRun?.state}
        onClick={() => layout.getState().actions.setPanel(runPanel)}
      >
        {runText(lastRun)}
      </button>
    </footer>
  );
}
