import type { ReactNode } from 'react';

import type { OffloadState } from '../../../core/contract';
import { formatCount, formatMs, formatPct } from '../../format';
import { strings } from '../../strings';
import { Help } from '../../ui';
import styles from './summary-figures.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.summary;

/** How the deployment does, in five figures. */
export function SummaryFigures({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const { settings, meanAccuracyPct = Number.NaN } = deployment;
  const below = meanAccuracyPct < settings.thresholdPct;
  const threshold = formatPct(settings.thresholdPct, 1);
  const figures = [
    [
      'decisions.response',
      WORDS.response,
      WORDS.responseHint,
      formatMs(deployment.meanResponseMs ?? Number.NaN),
    ],
    [
      'decisions.accuracy',
      WORDS.accuracy,
      WORDS.accuracyHint(threshold),
      formatPct(meanAccuracyPct, 1),
      below,
    ],
    [
      'decisions.error',
      WORDS.error,
      WORDS.errorHint,
      formatPct(deployment.predictionErrorPct ?? Number.NaN, 1),
    ],
    ['decisions.elsewhere', WORDS.elsewhere, WORDS.elsewhereHint, formatCount(deployment.answeredElsewhere)],
    ['decisions.rounds', WORDS.rounds, WORDS.roundsHint, formatCount(deployment.rounds)],
  ] as const;
  return (
    <dl className={styles['figures']}>
      {figures.map(([help, label, hint, value, isLow = false]) => (
        <div key={label} title={hint}>
          <dt>
            <Help id={help}>{label}</Help>
          </dt>
          <dd data-low={isLow}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
