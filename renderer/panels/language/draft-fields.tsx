import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LanguageSettings } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { NumberField, Segmented, SelectField } from '../../ui';
import styles from './controls.module.css';
import { shownReply } from './shown-reply';

const STRINGS = strings.language;

const WORDS = STRINGS.settings;
const MOST_TOKENS = 63;
const FIRST_FIXED = 8;

interface DraftFieldsProps {
  readonly settings: LanguageSettings;
  readonly disabled: boolean;
  readonly onChange: (part: Partial<LanguageSettings>) => void;
}

/** The other models of the library; the engine knows which of them can draft for this one. */
function DraftModelField({ settings, disabled, onChange }: DraftFieldsProps): ReactNode {
  const { language } = useSession();
  const models = useStore(language, (state) => state.models) ?? [];
  const own = useStore(language, (state) => state.open?.summary.model);
  const chosen = settings.draftModel;
  const names = models
    .filter(({ name, state }) => name === chosen || (name !== own && state === 'ready'))
    .map(({ name }) => name);
  const isGone = chosen !== '' && !names.includes(chosen);
  return (
    <SelectField
      label={WORDS.draftModel}
      hint={WORDS.draftModelHint}
      value={chosen}
      options={[
        { value: '', label: WORDS.noDraftModel },
        ...(isGone ? [{ value: chosen, label: WORDS.goneDraftModel(chosen) }] : []),
        ...names.map((name) => ({ value: name, label: name })),
      ]}
      disabled={disabled}
      onChange={(draftModel) => onChange({ draftModel })}
    />
  );
}

/** How many tokens a round drafts, and who proposes some before. */
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
      <div className={styles['whole-row']}>
        <DraftModelField settings={settings} disabled={disabled} onChange={onChange} />
      </div>
    </div>
  );
}
