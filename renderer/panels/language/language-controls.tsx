import { memo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { CacheMode, LanguageSettings } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { FailureNote, Segmented, SelectField } from '../../ui';
import { BudgetField } from './budget-field';
import { CacheMapPicture } from './cache-map';
import styles from './controls.module.css';
import { DraftFields } from './draft-fields';
import { configure } from './language-actions';
import { MemoryPicture } from './memory-picture';
import { RatioField } from './ratio-field';
import { SamplingFields } from './sampling-fields';
import { useSampled } from './use-sampled';

const STRINGS = strings.language;

const WORDS = STRINGS.settings;
/** Figures that change faster can't be read. */
const PICTURES_EVERY_MS = 250;
const MODES = (['full', 'vericache', 'lossy'] as const satisfies readonly CacheMode[]).map((value) => ({
  value,
  ...STRINGS.modes[value],
}));

interface FieldsProps {
  readonly settings: LanguageSettings;
  readonly disabled: boolean;
  readonly onChange: (part: Partial<LanguageSettings>) => void;
}

function CompressorFields({ settings, disabled, onChange }: FieldsProps): ReactNode {
  const { language } = useSession();
  const compressors = useStore(language, (state) => state.compressors);
  const chosen = compressors.find(({ name }) => name === settings.compressor);
  const options = compressors.map(({ name, title }) => ({ value: name, label: title }));
  const unknown = { value: settings.compressor, label: `${settings.compressor} (${WORDS.noCompressor})` };
  return (
    <>
      <div className={styles['compressor']}>
        <SelectField
          label={WORDS.compressor}
          value={settings.compressor}
          options={chosen === undefined ? [unknown, ...options] : options}
          disabled={disabled}
          onChange={(compressor) => onChange({ compressor })}
        />
        {chosen !== undefined && (
          <p className={styles['source']} title={WORDS.from(chosen.source)}>
            {chosen.source}
          </p>
        )}
      </div>
      <RatioField
        ratio={settings.ratio}
        fixedRatio={chosen?.fixedRatio}
        disabled={disabled}
        onChange={(ratio) => onChange({ ratio })}
      />
    </>
  );
}

const Settings = memo(function Settings({ settings }: { readonly settings: LanguageSettings }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const fault = useStore(session.language, (state) => state.faults.settings);
  const { setFault } = session.language.getState().actions;
  const change = (part: Partial<LanguageSettings>): void => void configure(session, part);
  const isFull = settings.mode === 'full';
  return (
    <div className={styles['settings']}>
      {fault !== undefined && (
        <FailureNote
          title={fault.title}
          error={fault.error}
          onDismiss={() => setFault('settings', undefined)}
        />
      )}
      <Segmented
        label={WORDS.mode}
        value={settings.mode}
        options={MODES}
        disabled={!live}
        onChange={(mode) => change({ mode })}
      />
      <CompressorFields settings={settings} disabled={!live || isFull} onChange={change} />
      <BudgetField
        budgetBytes={settings.budgetBytes}
        disabled={!live || isFull}
        onCommit={(budgetBytes) => change({ budgetBytes })}
      />
      <DraftFields settings={settings} disabled={!live || settings.mode !== 'vericache'} onChange={change} />
      <SamplingFields settings={settings} disabled={!live} onChange={change} />
    </div>
  );
});

/** The column of choices, which act at once, and of what they do to the cache. */
export function LanguageControls(): ReactNode {
  const { language } = useSession();
  const settings = useStore(language, (state) => state.open?.settings);
  const memory = useSampled(language, (state) => state.open?.memory, PICTURES_EVERY_MS);
  const map = useSampled(language, (state) => state.open?.map, PICTURES_EVERY_MS);
  if (settings === undefined) return null;
  return (
    <section className={styles['column']} aria-label={WORDS.region} data-testid="language-settings">
      <Settings settings={settings} />
      <MemoryPicture memory={memory} />
      <CacheMapPicture map={map} />
    </section>
  );
}
