import type { ReactNode } from 'react';

import { strings } from '../../strings';
import { NumberField } from '../../ui';
import styles from './controls.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.settings;

export const LEAST_RATIO = 1.5;
export const MOST_RATIO = 64;
const STEPS = 100;

/** A ratio as it is written: `1.5`, `4.2`, `16`. */
function rounded(ratio: number): number {
  return ratio < 10 ? Math.round(ratio * 10) / 10 : Math.round(ratio);
}

/** Ratios lie on a logarithmic scale: from 2 to 4 is as far as from 16 to 32. */
export function ratioToStep(ratio: number): number {
  return Math.round((Math.log(ratio / LEAST_RATIO) / Math.log(MOST_RATIO / LEAST_RATIO)) * STEPS);
}

export function stepToRatio(step: number): number {
  return rounded(LEAST_RATIO * (MOST_RATIO / LEAST_RATIO) ** (step / STEPS));
}

interface RatioFieldProps {
  readonly ratio: number;
  /** The compressor's own, where it has one. */
  readonly fixedRatio: number | undefined;
  readonly disabled: boolean;
  readonly onChange: (ratio: number) => void;
}

/** The compression ratio: a slider for trying, a field for a figure. */
export function RatioField({ ratio, fixedRatio, disabled, onChange }: RatioFieldProps): ReactNode {
  const value = fixedRatio ?? ratio;
  const isOff = disabled || fixedRatio !== undefined;
  return (
    <div className={styles['ratio']}>
      <NumberField
        label={WORDS.ratio}
        hint={fixedRatio === undefined ? WORDS.ratioHint : WORDS.ratioFixed}
        suffix="×"
        value={value}
        isValid={(typed) => typed >= LEAST_RATIO && typed <= MOST_RATIO}
        fault={WORDS.badRatio}
        disabled={isOff}
        onCommit={onChange}
      />
      <input
        type="range"
        aria-label={WORDS.ratio}
        aria-valuetext={`${value}×`}
        min={0}
        max={STEPS}
        value={ratioToStep(Math.min(MOST_RATIO, Math.max(LEAST_RATIO, value)))}
        disabled={isOff}
        onChange={(event) => onChange(stepToRatio(Number(event.currentTarget.value)))}
      />
    </div>
  );
}
