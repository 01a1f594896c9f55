import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { LabRunDetail } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, SelectField, TextField } from '../../../ui';
import { forkRun } from '../runs/run-actions';
import { FaultNote, useLabAction } from '../shelf';
import styles from './run-page.module.css';
import { parseVariables, shellQuoted } from './shell-words';

const STRINGS = strings.lab.runPage;

const WORDS = STRINGS.forkForm;

interface ForkFormProps {
  readonly detail: LabRunDetail;
  /** Chosen already. */
  readonly checkpoint: string | undefined;
  readonly onClose: () => void;
}

function variablesText(environment: LabRunDetail['environment'] = {}): string {
  return shellQuoted(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
}

/** Another run like this one, where a line of it says otherwise. */
export function ForkForm({ detail, checkpoint, onClose }: ForkFormProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const form = useRef<HTMLFormElement>(null);
  const before = shellQuoted(detail.args ?? []);
  const [args, setArgs] = useState(before);
  const [from, setFrom] = useState(checkpoint ?? '');
  const variablesBefore = variablesText(detail.environment);
  const [variables, setVariables] = useState(variablesBefore);
  const parsed = parseVariables(variables);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!live || action.isBusy || 'bad' in parsed) return;
    void action.attempt(WORDS.failed(detail.name), () =>
      forkRun(session, {
        run: detail.runId,
        ...(args === before ? {} : { args }),
        ...(variables === variablesBefore ? {} : { environment: parsed.variables }),
        ...(from === '' ? {} : { checkpoint: from }),
      }),
    );
  };
  const newest = detail.checkpoints.length === 0 ? WORDS.nothing : WORDS.newest;
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
      <div className={styles['fields']}>
        <TextField label={WORDS.arguments} hint={WORDS.argumentsHint} value={args} mono onChange={setArgs} />
        <TextField
          label={WORDS.environment}
          hint={WORDS.environmentHint}
          value={variables}
          mono
          fault={'bad' in parsed ? WORDS.badVariable(parsed.bad) : undefined}
          onChange={setVariables}
        />
        <SelectField
          label={WORDS.checkpoint}
          value={from}
          options={[
            { value: '', label: newest },
            ...detail.checkpoints.map((path) => ({ value: path, label: path.replace(/^checkpoints\//, '') })),
          ]}
          onChange={setFrom}
        />
        <Button type="submit" variant="primary" disabled={!live || action.isBusy || 'bad' in parsed}>
          {action.isBusy ? WORDS.busy : WORDS.go}
        </Button>
        <Button onClick={onClose}>{WORDS.cancel}</Button>
      </div>
      <FaultNote action={action} />
    </form>
  );
}
