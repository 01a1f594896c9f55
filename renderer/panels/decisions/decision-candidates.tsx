import { useState } from 'react';
import type { ReactNode } from 'react';

import type { Belief, DecisionRecord } from '../../../core/contract';
import { formatFigure } from '../../format';
import { strings } from '../../strings';
import { Help, SelectField } from '../../ui';
import styles from './decision-inspector.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.inspector;

/** Enough to see what the choice was against; all of them stand in the table of beliefs. */
const CANDIDATES = 12;

/** What one user could have had instead, the fastest first. */
export function Candidates({
  record,
  beliefs,
}: {
  readonly record: DecisionRecord;
  readonly beliefs: readonly Belief[];
}): ReactNode {
  const [chosenUser, setUser] = useState('0');
  const user = Number(chosenUser) < record.users.length ? Number(chosenUser) : 0;
  const choice = record.users[user];
  const own = beliefs
    .filter((belief) => belief.user === user)
    .sort((a, b) => (a.predictedMeanMs ?? Infinity) - (b.predictedMeanMs ?? Infinity) || 0);
  const isChosen = ({ tier, variant }: Belief): boolean =>
    tier === choice?.tier && variant === choice.variant;
  const shown = own.filter((belief, index) => index < CANDIDATES || isChosen(belief));
  return (
    <section>
      <h3>{WORDS.candidates}</h3>
      <p className={styles['note']}>{WORDS.candidatesNote}</p>
      {record.users.length > 1 && (
        <SelectField
          label={WORDS.candidatesOf}
          value={String(user)}
          options={record.users.map((_, index) => ({ value: String(index), label: STRINGS.user(index) }))}
          onChange={setUser}
        />
      )}
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">{WORDS.choice}</th>
            <th scope="col" className={styles['number']}>
              <Help id="decisions.variantAccuracy">{STRINGS.beliefs.columns.accuracy}</Help>
            </th>
            <th scope="col" className={styles['number']}>
              <Help id="decisions.predicted">{STRINGS.matrix.columns.predicted}</Help>
            </th>
            <th scope="col">{STRINGS.beliefs.columns.state}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((belief) => (
            <tr key={`${belief.tier} ${belief.variant}`} data-chosen={isChosen(belief)}>
              <th scope="row">{`${STRINGS.tiers[belief.tier]} ${belief.variant}`}</th>
              <td className={styles['number']}>{formatFigure(belief.accuracyPct)}</td>
              <td className={styles['number']}>{formatFigure(belief.predictedMs)}</td>
              <td title={belief.barred && STRINGS.barredWhy[belief.barred]}>
                {belief.barred !== undefined
                  ? STRINGS.barred[belief.barred]
                  : isChosen(belief) && STRINGS.matrix.chosen}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
