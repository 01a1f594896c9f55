import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { LabRunDetail } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, SelectField, TextField } from '../../../ui';
import { EngineField } from '../launch';
import { forkRun } from '../runs/run-actions';
import { FaultNote, useLabAction } from '../shelf';
import { forkDraftOf, readFork } from './fork-draft';
import type { ForkDraft, ForkFaults, ForkField } from './fork-draft';
import styles from './run-page.module.css';

const WORDS = strings.lab.runPage.forkForm;
const LAUNCH = strings.lab.launch;

interface FieldsProps {
  readonly draft: ForkDraft;
  readonly faults: ForkFaults;
  readonly disabled: boolean;
  readonly onChange: (field: ForkField, value: string) => void;
}

function ProgramFields(props: FieldsProps & { readonly checkpoints: readonly string[] }): ReactNode {
  const { draft, faults, disabled, checkpoints, onChange } = props;
  const newest = checkpoints.length === 0 ? WORDS.nothing : WORDS.newest;
  return (
    <div className={styles['fields']}>
      <TextField
        label={WORDS.arguments}
        hint={WORDS.argumentsHint}
        value={draft.args}
        mono
        disabled={disabled}
        onChange={(value) => onChange('args', value)}
      />
      <TextField
        label={WORDS.environment}
        hint={WORDS.environmentHint}
        value={draft.environment}
        mono
        disabled={disabled}
        fault={faults.environment}
        onChange={(value) => onChange('environment', value)}
      />
      <SelectField
        label={WORDS.checkpoint}
        value={draft.checkpoint}
        options={[
          { value: '', label: newest },
          ...checkpoints.map((path) => ({ value: path, label: path.replace(/^checkpoints\//, '') })),
        ]}
        disabled={disabled}
        onChange={(value) => onChange('checkpoint', value)}
      />
    </div>
  );
}

const RESOURCES = ['cpus', 'gpus', 'memory'] as const;

/** Where it runs and what it may use; the buttons stand beside them. */
function ResourceFields({
  draft,
  faults,
  disabled,
  onChange,
  children,
}: FieldsProps & { readonly children: ReactNode }): ReactNode {
  return (
    <div className={styles['fields']} data-short="true">
      <EngineField value={draft.engine} disabled={disabled} onChange={(value) => onChange('engine', value)} />
      {RESOURCES.map((field) => (
        <TextField
          key={field}
          label={LAUNCH[field]}
          hint={WORDS.resourcesHint}
          value={draft[field]}
          disabled={disabled}
          fault={faults[field]}
          onChange={(value) => onChange(field, value)}
        />
      ))}
      {children}
    </div>
  );
}

interface ForkFormProps {
  readonly detail: LabRunDetail;
  /** Chosen already. */
  readonly checkpoint: string | undefined;
  readonly onClose: () => void;
}

/** Another run like this one, where a line of it says otherwise. */
export function ForkForm({ detail, checkpoint, onClose }: ForkFormProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const form = useRef<HTMLFormElement>(null);
  // The parent may go on writing checkpoints while this is filled in.
  const [before] = useState(() => forkDraftOf(detail, checkpoint));
  const [draft, setDraft] = useState(before);
  const { fork, faults } = readFork(draft, before);
  const isReady = live && !action.isBusy && Object.keys(faults).length === 0;
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!isReady) return;
    void action.attempt(WORDS.failed(detail.name), () => forkRun(session, { run: detail.runId, ...fork }));
  };
  const fields: FieldsProps = {
    draft,
    faults,
    disabled: action.isBusy,
    onChange: (field, value) => setDraft((old) => ({ ...old, [field]: value })),
  };
  return (
    <form
      ref={form}
      className={styles['form']}
      aria-label={WORDS.title}
      data-testid="fork-form"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <ProgramFields {...fields} checkpoints={detail.checkpoints} />
      <ResourceFields {...fields}>
        <Button type="submit" variant="primary" disabled={!isReady}>
          {action.isBusy ? WORDS.busy : WORDS.go}
        </Button>
        <Button onClick={onClose}>{WORDS.cancel}</Button>
      </ResourceFields>
      <FaultNote action={action} />
    </form>
  );
}
