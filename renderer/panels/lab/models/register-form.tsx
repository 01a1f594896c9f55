import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { LabModel } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import { FaultNote, SuggestField, useLabAction } from '../shelf';
import { useLabRequest } from '../use-lab-request';
import styles from './models.module.css';

const STRINGS = strings.lab.models;

const WORDS = STRINGS.form;
/** Runs the field offers. */
const MOST_OFFERED = 200;

interface RegisterFormProps {
  readonly models: readonly LabModel[];
  readonly onClose: () => void;
  readonly onDone: (model: LabModel) => void;
}

/** Makes an artifact of a run a version of a model. */
export function RegisterForm({ models, onClose, onDone }: RegisterFormProps): ReactNode {
  const { client, engine, lab } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const rows = useStore(lab, (state) => state.rows) ?? [];
  const action = useLabAction();
  const [run, setRun] = useState('');
  const [path, setPath] = useState('');
  const [model, setModel] = useState('');
  const [description, setDescription] = useState('');
  const [isAsked, setIsAsked] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const known = rows.find(({ name, runId }) => name === run.trim() || runId === run.trim());
  const { value: artifacts = [] } = useLabRequest(
    'lab.artifacts',
    known === undefined ? undefined : { run: known.runId, path: '' },
    'runs',
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setIsAsked(true);
    const input = {
      run: run.trim(),
      path: path.trim(),
      model: model.trim(),
      description: description.trim(),
    };
    if (!live || action.isBusy || input.run === '' || input.path === '' || input.model === '') return;
    void action.attempt(WORDS.failed, async () => onDone(await client.request('lab.registerModel', input)));
  };
  const fault = (value: string, text: string): string | undefined =>
    isAsked && value.trim() === '' ? text : undefined;
  return (
    <form
      ref={form}
      className={styles['register']}
      aria-label={WORDS.title}
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <SuggestField
        label={WORDS.run}
        hint={WORDS.runHint}
        value={run}
        placeholder={WORDS.runPlaceholder}
        offers={rows.slice(0, MOST_OFFERED).map(({ name }) => name)}
        fault={fault(run, WORDS.noRun)}
        onChange={setRun}
      />
      <SuggestField
        label={WORDS.path}
        hint={WORDS.pathHint}
        value={path}
        placeholder={WORDS.pathPlaceholder}
        offers={artifacts.map((artifact) => artifact.path)}
        fault={fault(path, WORDS.noPath)}
        onChange={setPath}
      />
      <SuggestField
        label={WORDS.model}
        value={model}
        placeholder={WORDS.modelPlaceholder}
        offers={models.map(({ name }) => name)}
        fault={fault(model, WORDS.noModel)}
        onChange={setModel}
      />
      <SuggestField label={WORDS.about} value={description} offers={[]} onChange={setDescription} />
      <span className={styles['registerButtons']}>
        <Button type="submit" variant="primary" disabled={!live || action.isBusy}>
          {action.isBusy ? WORDS.sending : WORDS.send}
        </Button>
        <Button onClick={onClose}>{WORDS.cancel}</Button>
      </span>
      <div className={styles['registerFault']}>
        <FaultNote action={action} />
      </div>
    </form>
  );
}
