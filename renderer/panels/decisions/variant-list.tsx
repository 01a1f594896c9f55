import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { OffloadState, VariantRecord } from '../../../core/contract';
import { formatPct } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, CloseIcon, SelectField, TextField } from '../../ui';
import { addVariant, removeVariant } from './decision-actions';
import styles from './variant-list.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.variants;

function VariantRow({ variant }: { readonly variant: VariantRecord }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { id, model, title, accuracyPct, source, problem } = variant;
  return (
    <li className={styles['row']} data-testid="variant-row" data-variant={id}>
      <span className={styles['id']}>{id}</span>
      <span className={styles['title']} title={`${title}, ${model}. ${WORDS.from(source)}`}>
        {title}
      </span>
      <span className={styles['accuracy']}>{formatPct(accuracyPct, 1)}</span>
      <Button
        variant="ghost"
        aria-label={WORDS.remove(id)}
        title={WORDS.removeHint(id, model)}
        disabled={!live}
        onClick={() => void removeVariant(session, id)}
      >
        <CloseIcon />
      </Button>
      {problem !== undefined && (
        <span className={styles['problem']} title={problem}>
          {problem}
        </span>
      )}
    </li>
  );
}

function AddVariant({ variants }: { readonly variants: readonly VariantRecord[] }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const models = useStore(session.models, (state) => state.models);
  const [model, setModel] = useState('');
  const [accuracy, setAccuracy] = useState('');
  const [source, setSource] = useState('');
  const taken = new Set(variants.map((variant) => variant.model));
  const free = (models ?? []).filter(({ name, task }) => task.kind !== 'text' && !taken.has(name));
  const accuracyPct = Number(accuracy.trim().replace(',', '.') || 'none');
  const valid = accuracyPct >= 0 && accuracyPct <= 100;
  const complete = valid && source.trim() !== '' && free.some(({ name }) => name === model);
  const add = async (): Promise<void> => {
    if (!(await addVariant(session, { model, accuracyPct, source: source.trim() }))) return;
    setModel('');
    setAccuracy('');
    setSource('');
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (complete && live) void add();
  };
  const options = [
    { value: '', label: WORDS.choose },
    ...free.map(({ name }) => ({ value: name, label: name })),
  ];
  return (
    <form className={styles['form']} aria-label={WORDS.add} onSubmit={submit}>
      <h3>{WORDS.add}</h3>
      <SelectField label={WORDS.model} value={model} options={options} onChange={setModel} />
      <div className={styles['line']}>
        <TextField
          label={WORDS.accuracy}
          value={accuracy}
          fault={accuracy.trim() === '' || valid ? undefined : STRINGS.controls.badPct}
          onChange={setAccuracy}
        />
        <TextField
          label={WORDS.source}
          hint={WORDS.sourceHint}
          value={source}
          placeholder={WORDS.sourcePlaceholder}
          onChange={setSource}
        />
        <Button type="submit" disabled={!live || !complete}>
          {WORDS.submit}
        </Button>
      </div>
    </form>
  );
}

/** The models that may answer, each with how often it answers rightly and who says so. */
export function VariantList({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const { variants } = deployment;
  return (
    <section className={styles['variants']} aria-label={WORDS.title}>
      <h2>
        {WORDS.title} <span>{variants.length}</span>
      </h2>
      {variants.length === 0 ? (
        <p className={styles['none']}>{WORDS.none}</p>
      ) : (
        <ul>
          {variants.map((variant) => (
            <VariantRow key={variant.id} variant={variant} />
          ))}
        </ul>
      )}
      <AddVariant variants={variants} />
    </section>
  );
}
