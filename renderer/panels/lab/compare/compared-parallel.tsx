import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, Segmented } from '../../../ui';
import { isKept, ParallelCoordinates } from '../parallel';
import type { ParallelBrush } from '../parallel';
import styles from './compare.module.css';
import { comparedAxes } from './compared-axes';

const STRINGS = strings.lab.compare;

type Best = keyof typeof STRINGS.bests;
const BESTS = Object.entries(STRINGS.bests).map(([value, label]) => ({ value: value as Best, label }));
const NO_BRUSHES: readonly ParallelBrush[] = [];

/** What is better is guessed by the metric's name, and can be said. */
export function bestOf(metric: string): Best {
  return /loss|err|rmse|mae|mse|perplex|time|ms\b|seconds/i.test(metric) ? 'min' : 'max';
}

/** Parameters against the metric that the runs reached. */
export function ComparedParallel({ rows }: { readonly rows: readonly LabRunRow[] }): ReactNode {
  const { lab } = useSession();
  const { open, choose } = lab.getState().actions;
  const names = useMemo(
    () => [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)))].sort(),
    [rows],
  );
  const [chosen, setChosen] = useState<string>();
  const metric = chosen ?? names[0] ?? '';
  const [said, setSaid] = useState<Readonly<Record<string, Best>>>({});
  const best = said[metric] ?? bestOf(metric);
  const [brushes, setBrushes] = useState(NO_BRUSHES);
  const { axes, lines } = useMemo(() => comparedAxes(rows, metric), [rows, metric]);
  const brushed = brushes.length === 0 ? lines : lines.filter((line) => isKept(axes, line, brushes));
  if (names.length === 0) return <p className={styles['none']}>{STRINGS.noMetrics}</p>;
  if (axes.length < 2) return <p className={styles['none']}>{STRINGS.noAxes}</p>;
  return (
    <>
      <div className={styles['bar']}>
        <label title={STRINGS.metricHint}>
          {STRINGS.metric}
          <select
            value={metric}
            onChange={(event) => {
              setBrushes(brushes.filter(({ axis }) => !axis.startsWith('metrics.')));
              setChosen(event.currentTarget.value);
            }}
          >
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <span>{STRINGS.best}</span>
        <Segmented
          label={STRINGS.best}
          value={best}
          options={BESTS}
          onChange={(value) => setSaid({ ...said, [metric]: value })}
        />
        <Button
          variant="ghost"
          title={STRINGS.brushedHint}
          disabled={brushes.length === 0 || brushed.length === 0}
          onClick={() => {
            choose(new Set(brushed.map(({ id }) => id)));
            setBrushes(NO_BRUSHES);
          }}
        >
          {STRINGS.brushed}
        </Button>
      </div>
      <ParallelCoordinates
        label={STRINGS.parallelLabel(metric, formatCount(rows.length))}
        axes={axes}
        lines={lines}
        brushes={brushes}
        onBrush={setBrushes}
        colourBy={`metrics.${metric}`}
        best={best}
        onOpen={(runId) => open({ kind: 'run', runId })}
      />
    </>
  );
}
