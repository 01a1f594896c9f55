import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { strings } from '../../../strings';
import { ChartControls, DEFAULT_SETTINGS, gridColumns, MetricChart } from '../charts';
import type { ChartRange, ChartSettings } from '../charts';
import styles from './run-page.module.css';

const STRINGS = strings.lab.runPage;

/** A plot for each metric; they share axis, cursor and zoom. */
export function RunMetrics({ row }: { readonly row: LabRunRow }): ReactNode {
  const [settings, setSettings] = useState<ChartSettings>(DEFAULT_SETTINGS);
  const [range, setRange] = useState<ChartRange>();
  const { runId, name } = row;
  const names = Object.keys(row.metrics).sort();
  const lines = useMemo(() => [{ runId, label: name, token: '--accent', index: 0 }], [runId, name]);
  if (names.length === 0) return null;
  return (
    <section className={styles['metrics']} aria-label={STRINGS.metrics}>
      <ChartControls settings={settings} range={range} onSettings={setSettings} onRange={setRange} />
      <div className={styles['grid']} data-columns={gridColumns(names.length)} tabIndex={-1}>
        {names.map((metric) => (
          <MetricChart
            key={metric}
            metric={metric}
            lines={lines}
            settings={settings}
            range={range}
            onRange={setRange}
            syncKey={`run-${runId}`}
            revision={row}
          />
        ))}
      </div>
    </section>
  );
}
