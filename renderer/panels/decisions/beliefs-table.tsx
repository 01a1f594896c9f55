import type { ReactNode } from 'react';

import { TIER_NAMES } from '../../../core/contract';
import type { Belief, WireError } from '../../../core/contract';
import { formatCount, formatFigure } from '../../format';
import { strings } from '../../strings';
import { FailureNote, VirtualTable } from '../../ui';
import type { HelpId, TableColumn } from '../../ui';
import styles from './lists.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.beliefs;
const COLUMNS = WORDS.columns;

function byFigure(pick: (belief: Belief) => number | undefined) {
  return (a: Belief, b: Belief): number => (pick(a) ?? Infinity) - (pick(b) ?? Infinity) || 0;
}

function byText(pick: (belief: Belief) => string) {
  return (a: Belief, b: Belief): number => pick(a).localeCompare(pick(b), undefined, { numeric: true });
}

function stateText({ chosen, barred }: Belief): string {
  const why = barred === undefined ? [] : [STRINGS.barred[barred]];
  return [...(chosen ? [STRINGS.matrix.chosen] : []), ...why].join(', ');
}

function figure(
  key: string,
  label: string,
  width: string,
  pick: (belief: Belief) => number | undefined,
  help: HelpId | undefined,
  text: (value: number) => string = formatFigure,
): TableColumn<Belief> {
  return {
    key,
    label,
    width,
    align: 'end',
    help,
    compare: byFigure(pick),
    cell: (belief) => {
      const value = pick(belief);
      return value === undefined ? formatFigure(value) : text(value);
    },
  };
}

const BELIEF_COLUMNS: readonly TableColumn<Belief>[] = [
  figure('user', COLUMNS.user, '7ch', ({ user }) => user + 1, undefined, String),
  {
    key: 'tier',
    label: COLUMNS.tier,
    width: '8ch',
    cell: ({ tier }) => STRINGS.tiers[tier],
    compare: (a, b) => TIER_NAMES.indexOf(a.tier) - TIER_NAMES.indexOf(b.tier),
  },
  {
    key: 'variant',
    label: COLUMNS.variant,
    width: '9ch',
    mono: true,
    cell: ({ variant }) => variant,
    compare: byText(({ variant }) => variant),
  },
  figure('accuracy', COLUMNS.accuracy, '12ch', ({ accuracyPct }) => accuracyPct, 'decisions.variantAccuracy'),
  figure('predicted', COLUMNS.predicted, '13ch', ({ predictedMs }) => predictedMs, 'decisions.predicted'),
  figure('mean', COLUMNS.mean, '17ch', ({ predictedMeanMs }) => predictedMeanMs, 'decisions.meanPredicted'),
  figure('measured', COLUMNS.measured, '13ch', ({ measuredMs }) => measuredMs, 'decisions.lastMeasured'),
  figure('count', COLUMNS.count, '12ch', ({ measurements }) => measurements, 'decisions.count', formatCount),
  {
    key: 'state',
    label: COLUMNS.state,
    width: 'minmax(14ch, 1fr)',
    cell: (belief) => (
      <span className={belief.chosen ? styles['chosen'] : styles['muted']}>{stateText(belief)}</span>
    ),
    title: ({ barred }) => (barred === undefined ? undefined : STRINGS.barredWhy[barred]),
    compare: byText(stateText),
  },
];

interface BeliefsTableProps {
  readonly beliefs: readonly Belief[] | undefined;
  readonly error: WireError | undefined;
}

/** Every alternative of every user with what the agent believes of it; sorts by any column. */
export function BeliefsTable({ beliefs, error }: BeliefsTableProps): ReactNode {
  return (
    <>
      {error !== undefined && (
        <div className={styles['fault']}>
          <FailureNote title={STRINGS.faults.beliefs} error={error} />
        </div>
      )}
      {beliefs === undefined || beliefs.length === 0 ? (
        <p className={styles['none']}>{WORDS.none}</p>
      ) : (
        <VirtualTable
          label={WORDS.title}
          rows={beliefs}
          columns={BELIEF_COLUMNS}
          rowKey={({ user, tier, variant }) => `${user} ${tier} ${variant}`}
          initialOrder={{ key: 'mean', descending: false }}
          minWidthPx={910}
          rowData={({ user, tier, variant }) => ({
            'data-testid': 'belief-row',
            'data-user': String(user),
            'data-tier': tier,
            'data-variant': variant,
          })}
        />
      )}
    </>
  );
}
