import type { ReactNode } from 'react';

import type { LabBoardRow, LabCompetition } from '../../../../core/contract';
import { formatCount, formatFixed } from '../../../format';
import { strings } from '../../../strings';
import { Help, RECORD_TABLE } from '../../../ui';
import { formatWhen } from '../lab-format';
import { decimalsFor, RunLink } from '../shelf';
import styles from './board.module.css';

const STRINGS = strings.lab.board;

const COLUMNS = STRINGS.columns;

interface LeaderboardProps {
  readonly competition: LabCompetition;
  readonly rows: readonly LabBoardRow[];
  /** Who this console is. */
  readonly user: string | undefined;
  readonly nowMs: number;
  /** A run's name, where it is known. */
  readonly runName: (runId: string) => string;
}

/** Who stands where. Equal scores share a rank; the own row is marked. */
export function Leaderboard({ competition, rows, user, nowMs, runName }: LeaderboardProps): ReactNode {
  const { metric } = competition;
  const decimals = decimalsFor(rows.map(({ score }) => score));
  if (rows.length === 0) return <p className={styles['none']}>{STRINGS.emptyBoard}</p>;
  return (
    // Focusable, so that a long board scrolls by keyboard.
    <div className={RECORD_TABLE.scroll} tabIndex={0} role="region" aria-label={STRINGS.board}>
      <table className={`${RECORD_TABLE.table} ${styles['board']}`} aria-label={STRINGS.board}>
        <thead>
          <tr>
            <th scope="col" className={RECORD_TABLE.number}>
              <Help id="lab.rank">{COLUMNS.rank}</Help>
            </th>
            <th scope="col" className={RECORD_TABLE.number}>
              <Help id="lab.score">{`${metric.name} ${STRINGS.arrows[metric.direction]}`}</Help>
            </th>
            <th scope="col">{COLUMNS.user}</th>
            <th scope="col" className={`${RECORD_TABLE.number} ${styles['wide']}`}>
              <Help id="lab.submissions">{COLUMNS.submissions}</Help>
            </th>
            <th scope="col" className={RECORD_TABLE.number}>
              <Help id="lab.submitted">{COLUMNS.when}</Help>
            </th>
            <th scope="col" title={STRINGS.hints.run}>
              {COLUMNS.run}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const isTied = rows.filter(({ rank }) => rank === row.rank).length > 1;
            const isOwn = row.user === user;
            return (
              <tr key={row.user} data-testid="board-row" data-own={isOwn} data-rank={row.rank}>
                <td className={RECORD_TABLE.number} title={isTied ? STRINGS.tied(row.rank) : undefined}>
                  {isTied && <span className={styles['tie']}>=</span>}
                  {row.rank}
                </td>
                <td className={`${RECORD_TABLE.number} ${styles['score']}`} title={String(row.score)}>
                  {formatFixed(row.score, decimals)}
                </td>
                <td>
                  {row.user}
                  {isOwn && <span className={styles['you']}>{STRINGS.you}</span>}
                </td>
                <td className={`${RECORD_TABLE.number} ${styles['wide']}`}>{formatCount(row.submissions)}</td>
                <td className={RECORD_TABLE.number}>{formatWhen(row.submittedMs, nowMs)}</td>
                <td className={styles['run']}>
                  {row.runId === undefined ? '' : <RunLink runId={row.runId} name={runName(row.runId)} />}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
