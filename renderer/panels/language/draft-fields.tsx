import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LanguageSettings } from '../../../core/contract';
import { useSession } from '../../session';
import { NumberField, Segmented } from '../../ui';
import styles from './controls.module.css';
import { shownReply } from './shown-reply';
import { STRINGS } from './strings';

const WORDS = STRINGS.settings;
const MOST_TOKENS = 63;
const FIRST_FIXED = 8;

interface DraftFieldsProps {
  readonly settings: LanguageSettings;
  readonly disabled: boolean;
  readonly onChange: (part: Partial<LanguageSettings>) => void;
}

/** How many tokens a round drafts, and whether repetitions of earlier text are proposed. */
export function DraftFields({ settings, disabled, onChange }: DraftFieldsProps): ReactNode {
  const { language } = useSession();
  const { draftLength, promptLookup } = settings;
  const present = useStore(language, (state) => shownReply(state)?.stats?.draftLength ?? 0);
  const isAuto = draftLength === 'auto';
  return (
    <div className={styles['draft']}>
      <div className={styles['labelled']}>
        <span aria-hidden="true">{WORDS.draftLength}</span>
        <Segmented
          label={WORDS.draftLength}
          value={isAuto ? 'auto' : 'fixed'}
          disabled={disabled}
          options={[
            { value: 'auto', label: WORDS.draftAuto, hint: WORDS.draftAutoHint },
            { value: 'fixed', label: WORDS.draftFixed, hint: WORDS.draftFixedHint },
          ]}
          onChange={(choice) =>
            onChange({ draftLength: choice === 'auto' ? 'auto' : present > 0 ? present : FIRST_FIXED })
          }
        />
      </div>
      {!isAuto && (
        <NumberField
          label={WORDS.draftTokens}
          hint={WORDS.draftFixedHint}
          value={draftLength}
          isValid={(value) => Number.isInteger(value) && value >= 1 && value <= MOST_TOKENS}
          fault={WORDS.badDraft}
          disabled={disabled}
          onCommit={(value) => onChange({ draftLength: value })}
        />
      )}
      <label className={styles['check']} title={WORDS.lookupHint}>
        <input
          type="checkbox"
          checked={promptLookup}
          disabled={disabled}
          onChange={(event) => onChange({ promptLookup: event.currentTarget.checked })}
        />
        {WORDS.lookup}
      </label>
    </div>
  );
}
