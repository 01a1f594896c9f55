import { useMemo } from 'react';
import type { ReactNode } from 'react';

import type { LabParameter, LabParameterValue, LabSearch, LabTrial } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { strings } from '../../../strings';
import { VirtualTable } from '../../../ui';
import type { TableColumn } from '../../../ui';
import { formatMetric } from '../lab-format';
import { RunLink } from '../shelf';
import styles from './searches.module.css';
import { parameterText, trialScore, variedParameters } from './trial-space';

const STRINGS = strings.lab.searches;

const COLUMNS = STRINGS.columns;

function poolCell({ pool, outcome }: LabTrial): ReactNode {
  if (outcome === 'failed') return <span className={styles['failed']}>{STRINGS.failedTrial}</span>;
  if (pool === undefined) return '';
  return (
    <span className={styles['pool']} title={STRINGS.poolHints[pool]}>
      <i data-pool={pool} aria-hidden="true" />
      {STRINGS.pools[pool]}
    </span>
  );
}

function compareValues(a: LabParameterValue | undefined, b: LabParameterValue | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''));
}

/** Trials without a figure come last among those that are best at the top. */
function scoreOf(trial: LabTrial): number {
  return trialScore(trial) ?? Number.NEGATIVE_INFINITY;
}

function isNumeric(parameter: LabParameter): boolean {
  if (parameter.type === 'choice') return parameter.values.every((value) => typeof value === 'number');
  return true;
}

function parameterColumns(search: LabSearch): readonly TableColumn<LabTrial>[] {
  return variedParameters(search.parameters).map((parameter) => ({
    key: `parameter:${parameter.name}`,
    label: parameter.name,
    width: 'minmax(8ch, 12ch)',
    mono: true,
    ...(isNumeric(parameter) ? { align: 'end' as const, help: 'lab.parameter' as const } : {}),
    cell: ({ parameters }) => parameterText(parameters[parameter.name]),
    title: ({ parameters }) => String(parameters[parameter.name] ?? ''),
    compare: (a, b) => compareValues(a.parameters[parameter.name], b.parameters[parameter.name]),
  }));
}

function columnsOf(search: LabSearch): readonly TableColumn<LabTrial>[] {
  const { metric, bestTrial } = search;
  return [
    {
      key: 'trial',
      label: COLUMNS.trial,
      width: '4ch',
      align: 'end',
      help: 'lab.trial',
      cell: ({ id }) => (id === bestTrial ? <strong title={STRINGS.best}>{id}</strong> : id),
      compare: (a, b) => a.id - b.id,
    },
    {
      key: 'pool',
      label: COLUMNS.pool,
      width: '10ch',
      cell: poolCell,
      compare: (a, b) => compareValues(a.pool, b.pool),
    },
    ...parameterColumns(search),
    {
      key: 'last',
      label: COLUMNS.last,
      hint: STRINGS.hints.last(metric.name),
      width: '8ch',
      align: 'end',
      help: 'lab.trialLast',
      cell: (trial) => formatMetric(trial.metric),
    },
    {
      key: 'best',
      label: COLUMNS.best,
      hint: STRINGS.hints.best(metric.name),
      width: '8ch',
      align: 'end',
      help: 'lab.trialBest',
      cell: (trial) => formatMetric(trial.best),
      compare: (a, b) => scoreOf(a) - scoreOf(b),
    },
    {
      key: 'resource',
      label: COLUMNS.resource,
      hint: STRINGS.hints.resource,
      width: '8ch',
      align: 'end',
      help: 'lab.resource',
      cell: ({ resource }) => formatCount(resource),
      compare: (a, b) => a.resource - b.resource,
    },
    {
      key: 'from',
      label: COLUMNS.from,
      hint: STRINGS.hints.from,
      width: '5ch',
      align: 'end',
      help: 'lab.from',
      cell: ({ from }) => (from === undefined ? '' : `#${from}`),
    },
    {
      key: 'run',
      label: COLUMNS.run,
      width: 'minmax(15ch, 1.2fr)',
      cell: ({ runId, runName }) =>
        runId === undefined ? '' : <RunLink runId={runId} name={runName ?? runId.slice(0, 8)} />,
    },
  ];
}

interface TrialsTableProps {
  readonly search: LabSearch;
  /** Those to show. */
  readonly trials: readonly LabTrial[];
}

/** One row a trial; a click on a head sorts by it. */
export function TrialsTable({ search, trials }: TrialsTableProps): ReactNode {
  const columns = useMemo(() => columnsOf(search), [search]);
  return (
    <VirtualTable
      // Another search has other columns, and another order.
      key={search.id}
      label={STRINGS.trials}
      rows={trials}
      columns={columns}
      rowKey={({ id }) => id}
      rowData={({ pool }) => ({ 'data-testid': 'trial-row', 'data-pool': pool })}
      minWidthPx={450 + variedParameters(search.parameters).length * 70}
    />
  );
}
