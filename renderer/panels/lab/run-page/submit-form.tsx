import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { LabRunDetail } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, SelectField } from '../../../ui';
import { FaultNote, useLabAction } from '../shelf';
import { useLabRequest } from '../use-lab-request';
import styles from './run-page.module.css';

const STRINGS = strings.lab.runPage;

const WORDS = STRINGS.submitForm;

/** Gives one of the run's checkpoints to a competition's evaluator. */
export function SubmitForm(props: {
  readonly detail: LabRunDetail;
  readonly onClose: () => void;
}): ReactNode {
  const { detail, onClose } = props;
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const { value: competitions = [] } = useLabRequest('lab.competitions', {}, 'competitions');
  const action = useLabAction();
  const [chosen, setChosen] = useState<string>();
  const [checkpoint, setCheckpoint] = useState('');
  const [isDryRun, setIsDryRun] = useState(false);
  const [done, setDone] = useState<number>();
  // One on the same data is most likely meant.
  const likely = competitions.find(({ dataset }) => dataset.split('@')[0] === detail.dataset?.split('@')[0]);
  const competition = chosen ?? (likely ?? competitions[0])?.name;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!live || action.isBusy || competition === undefined) return;
    void action.attempt(WORDS.failed, async () => {
      const submission = await client.request('lab.submit', {
        run: detail.runId,
        competition,
        isDryRun,
        ...(checkpoint === '' ? {} : { checkpoint }),
      });
      setDone(submission.id);
    });
  };
  return (
    <form
      className={styles['form']}
      aria-label={WORDS.title}
      data-testid="submit-form"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div className={styles['fields']}>
        <SelectField
          label={WORDS.competition}
          value={competition ?? ''}
          disabled={competitions.length === 0}
          options={
            competitions.length === 0
              ? [{ value: '', label: WORDS.none }]
              : competitions.map(({ name, title, leftToday }) => ({
                  value: name,
                  label: WORDS.left(title, leftToday),
                }))
          }
          onChange={setChosen}
        />
        <SelectField
          label={WORDS.checkpoint}
          value={checkpoint}
          options={[
            { value: '', label: WORDS.newest },
            ...detail.checkpoints.map((path) => ({ value: path, label: path.replace(/^checkpoints\//, '') })),
          ]}
          onChange={setCheckpoint}
        />
        <Button
          type="submit"
          variant="primary"
          disabled={!live || action.isBusy || competition === undefined}
        >
          {action.isBusy ? WORDS.busy : WORDS.go}
        </Button>
        <Button autoFocus onClick={onClose}>
          {WORDS.cancel}
        </Button>
      </div>
      <label className={styles['check']}>
        <input
          type="checkbox"
          checked={isDryRun}
          onChange={(event) => setIsDryRun(event.currentTarget.checked)}
        />
        {WORDS.dryRun}
      </label>
      {done !== undefined && <p role="status">{WORDS.done(done)}</p>}
      <FaultNote action={action} />
    </form>
  );
}
