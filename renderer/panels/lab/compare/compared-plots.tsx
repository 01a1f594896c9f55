import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { strings } from '../../../strings';
import { ChartControls, DEFAULT_SETTINGS, gridColumns, MetricChart, runToken } from '../charts';
import type { ChartRange, ChartSettings } from '../charts';
import styles from './compare.module.css';

const STRINGS = strings.lab.compare;

interface ComparedPlotsProps {
  readonly rows: readonly LabRunRow[];
  readonly hidden: ReadonlySet<string>;
}

/** A plot for each metric that any of the runs has, a colour for each run. */
export function ComparedPlots({ rows, hidden }: ComparedPlotsProps): ReactNode {
  const [settings, setSettings] = useState<ChartSettings>(DEFAULT_SETTINGS);
  const [range, setRange] = useState<ChartRange>();
  const names = [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
  const lines = useMemo(
    () => rows.map(({ runId, name }, index) => ({ runId, label: name, token: runToken(index), index })),
    [rows],
  );
  if (names.length === 0) return <p className={styles['none']}>{STRINGS.noMetrics}</p>;
  return (
    <>
      <ChartControls settings={settings} range={range} onSettings={setSettings} onRange={setRange} />
      <div className={styles['grid']} data-columns={gridColumns(names.length)}>
        {names.map((metric) => (
          <MetricChart
            key={metric}
            metric={metric}
            lines={lines}
            hidden={hidden}
            settings={settings}
            range={range}
            onRange={setRange}
            syncKey="compare"
            revision={rows}
          />
        ))}
      </div>
    </>
  );
}
