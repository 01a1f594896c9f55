import type { ReactNode } from 'react';

import { formatFigure, NO_FIGURE } from '../../format';
import { strings } from '../../strings';
import { Help } from '../../ui';
import styles from './choice-matrix.module.css';
import type { PresentChoice } from './matrix-model';

const STRINGS = strings.decisions;

const WORDS = STRINGS.matrix;
const COLUMNS = WORDS.columns;

function answeredBy({ last }: PresentChoice): string {
  if (last === undefined) return NO_FIGURE;
  return last.answeredBy === undefined ? WORDS.nobody : STRINGS.tiers[last.answeredBy];
}

function PresentRow({ present }: { readonly present: PresentChoice }): ReactNode {
  const { user, choice, last, pin } = present;
  const elsewhere = last !== undefined && last.answeredBy !== last.tier;
  return (
    <tr data-testid="present-choice" data-user={user} data-tier={choice?.tier} data-variant={choice?.variant}>
      <th scope="row" title={STRINGS.user(user)}>
        {user + 1}
      </th>
      <td className={styles['choice']}>
        {choice === undefined ? NO_FIGURE : `${STRINGS.tiers[choice.tier]} ${choice.variant}`}
        {pin !== undefined && <small>{WORDS.pinned}</small>}
      </td>
      <td>{formatFigure(choice?.predictedMs)}</td>
      <td>{formatFigure(last?.responseMs)}</td>
      <td className={styles['by']} data-elsewhere={elsewhere}>
        {answeredBy(present)}
      </td>
    </tr>
  );
}

/** What is chosen for each user now, beside the figures of every alternative. */
export function PresentTable({ present }: { readonly present: readonly PresentChoice[] }): ReactNode {
  const hints = WORDS.columnHints;
  return (
    <table className={styles['present']} aria-label={WORDS.now}>
      <thead>
        <tr>
          <th scope="col">{COLUMNS.user}</th>
          <th scope="col" className={styles['choice']}>
            {COLUMNS.choice}
          </th>
          <th scope="col">
            <Help id="decisions.predicted">{COLUMNS.predicted}</Help>
          </th>
          <th scope="col">
            <Help id="decisions.measured">{COLUMNS.measured}</Help>
          </th>
          <th scope="col" title={hints.by} className={styles['by']}>
            {COLUMNS.by}
          </th>
        </tr>
      </thead>
      <tbody>
        {present.map((row) => (
          <PresentRow key={row.user} present={row} />
        ))}
      </tbody>
    </table>
  );
}
