import type { ReactNode } from 'react';

import type { OffloadState } from '../../../core/contract';
import { formatCount, formatMs, formatPct } from '../../format';
import { strings } from '../../strings';
import styles from './summary-figures.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.summary;

/** How the deployment does, in five figures. */
export function SummaryFigures({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const { settings, meanAccuracyPct = Number.NaN } = deployment;
  const below = meanAccuracyPct < settings.thresholdPct;
  const threshold = formatPct(settings.thresholdPct, 1);
  const figures = [
    [WORDS.response, WORDS.responseHint, formatMs(deployment.meanResponseMs ?? Number.NaN)],
    [WORDS.accuracy, WORDS.accuracyHint(threshold), formatPct(meanAccuracyPct, 1), below],
    [WORDS.error, WORDS.errorHint, formatPct(deployment.predictionErrorPct ?? Number.NaN, 1)],
    [WORDS.elsewhere, WORDS.elsewhereHint, formatCount(deployment.answeredElsewhere)],
    [WORDS.rounds, WORDS.roundsHint, formatCount(deployment.rounds)],
  ] as const;
  return (
    <dl className={styles['figures']}>
      {figures.map(([label, hint, value, isLow = false]) => (
        <div key={label} title={hint}>
          <dt>{label}</dt>
          <dd data-low={isLow}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
