import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { DecisionRecord } from '../../../core/contract';
import { formatClock, formatCount, formatFigure } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, VirtualTable } from '../../ui';
import type { TableColumn } from '../../ui';
import { choicesText, isOver, outcomeText } from './decision-text';
import styles from './lists.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.feed;
const COLUMNS = WORDS.columns;

const FEED_COLUMNS: readonly TableColumn<DecisionRecord>[] = [
  { key: 'time', label: COLUMNS.time, width: '8ch', cell: ({ at }) => formatClock(at) },
  {
    key: 'choice',
    label: COLUMNS.choice,
    width: 'minmax(28ch, 1.2fr)',
    cell: ({ users }) => choicesText(users),
    title: ({ users }) => choicesText(users),
  },
  {
    key: 'predicted',
    label: COLUMNS.predicted,
    hint: WORDS.hints.predicted,
    width: '9ch',
    align: 'end',
    help: 'decisions.predicted',
    cell: ({ predictedMs }) => formatFigure(predictedMs),
  },
  {
    key: 'measured',
    label: COLUMNS.measured,
    hint: WORDS.hints.measured,
    width: '9ch',
    align: 'end',
    help: 'decisions.measured',
    cell: ({ meanResponseMs }) => formatFigure(meanResponseMs),
  },
  {
    key: 'reward',
    label: COLUMNS.reward,
    hint: WORDS.hints.reward,
    width: '10ch',
    align: 'end',
    help: 'decisions.reward',
    cell: ({ rewardMs }) => formatFigure(rewardMs),
  },
  { key: 'reason', label: COLUMNS.reason, width: '16ch', cell: ({ reason }) => WORDS.reasons[reason] },
  {
    key: 'outcome',
    label: COLUMNS.outcome,
    width: 'minmax(22ch, 1.4fr)',
    cell: (record) => (
      <span className={styles['outcome']} data-over={isOver(record)}>
        {outcomeText(record)}
      </span>
    ),
    title: (record) => outcomeText(record),
  },
];

/** Decisions as they are made. Scrolled away from the newest it holds still and counts what came since. */
export function DecisionFeed(): ReactNode {
  const { offload } = useSession();
  const decisions = useStore(offload, (state) => state.decisions);
  const selected = useStore(offload, (state) => state.selected);
  const [held, setHeld] = useState<readonly DecisionRecord[]>();
  const { select } = offload.getState().actions;
  if (decisions.length === 0) return <p className={styles['none']}>{WORDS.none}</p>;
  const rows = held ?? decisions;
  const newestHeld = held?.[0]?.id ?? Infinity;
  const newer = held === undefined ? 0 : decisions.filter(({ id }) => id > newestHeld).length;
  return (
    <>
      {newer > 0 && (
        <Button className={styles['newer']} onClick={() => setHeld(undefined)}>
          {WORDS.fresh(formatCount(newer))}
        </Button>
      )}
      <VirtualTable
        label={WORDS.title}
        rows={rows}
        columns={FEED_COLUMNS}
        rowKey={({ id }) => id}
        selected={selected}
        minWidthPx={840}
        onOpen={({ id }) => select(id)}
        onScroll={(topPx) => {
          if (topPx > 0) setHeld((old) => old ?? decisions);
          else setHeld(undefined);
        }}
        rowData={(record) => ({
          'data-testid': 'decision-row',
          'data-decision': String(record.id),
          'data-tier': record.users[0]?.tier,
          'data-variant': record.users[0]?.variant,
          'data-answered-by': record.users[0]?.answeredBy,
          'data-reason': record.reason,
        })}
      />
    </>
  );
}
