import type { ReactNode } from 'react';

import type { LanguageSettings } from '../../../core/contract';
import { formatCount } from '../../format';
import { strings } from '../../strings';
import { NumberField } from '../../ui';
import styles from './controls.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.settings;

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;
const isSeed = (value: number): boolean => Number.isInteger(value) && value >= 0;

interface SamplingFieldsProps {
  readonly settings: LanguageSettings;
  readonly disabled: boolean;
  readonly onChange: (part: Partial<LanguageSettings>) => void;
}

/** How tokens are drawn, in a line; unfolded, field by field. */
export function SamplingFields({ settings, disabled, onChange }: SamplingFieldsProps): ReactNode {
  const { temperature, topP, minP, seed, maxTokens } = settings;
  const isGreedy = temperature === 0;
  const drawn = isGreedy ? WORDS.greedy : WORDS.drawn(String(temperature), String(seed));
  return (
    <details className={styles['sampling']}>
      <summary>
        {WORDS.sampling}
        <span>{`${drawn}, ${WORDS.upTo(formatCount(maxTokens))}`}</span>
      </summary>
      <div className={styles['fields']}>
        <NumberField
          label={WORDS.maxTokens}
          hint={WORDS.maxTokensHint}
          value={maxTokens}
          isValid={isCount}
          fault={WORDS.badCount}
          disabled={disabled}
          onCommit={(value) => onChange({ maxTokens: value })}
        />
        <NumberField
          label={WORDS.temperature}
          hint={WORDS.temperatureHint}
          value={temperature}
          isValid={(value) => value >= 0}
          fault={WORDS.badTemperature}
          disabled={disabled}
          onCommit={(value) => onChange({ temperature: value })}
        />
        <NumberField
          label={WORDS.topP}
          hint={WORDS.topPHint}
          value={topP}
          isValid={(value) => value > 0 && value <= 1}
          fault={WORDS.badTopP}
          disabled={disabled || isGreedy}
          onCommit={(value) => onChange({ topP: value })}
        />
        <NumberField
          label={WORDS.minP}
          hint={WORDS.minPHint}
          value={minP}
          isValid={(value) => value >= 0 && value < 1}
          fault={WORDS.badMinP}
          disabled={disabled || isGreedy}
          onCommit={(value) => onChange({ minP: value })}
        />
        <NumberField
          label={WORDS.seed}
          hint={WORDS.seedHint}
          value={seed}
          isValid={isSeed}
          fault={WORDS.badSeed}
          disabled={disabled || isGreedy}
          onCommit={(value) => onChange({ seed: value })}
        />
      </div>
    </details>
  );
}
