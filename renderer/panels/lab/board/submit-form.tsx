import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { LabCompetition, LabRunRow } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, SelectField } from '../../../ui';
import { FaultNote, SuggestField, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import styles from './board.module.css';

const STRINGS = strings.lab.board;

const WORDS = STRINGS.submit;
/** Runs the field offers. */
const MOST_OFFERED = 200;

/** Those that may be submitted: launched, of the competition's dataset first. */
export function offeredRuns(
  rows: readonly LabRunRow[],
  { dataset }: LabCompetition,
  user: string | undefined,
): readonly LabRunRow[] {
  const name = dataset.split('@')[0];
  const own = rows.filter((row) => row.isLaunched && row.user === user);
  const fits = ({ dataset: of }: LabRunRow): boolean => of?.split('@')[0] === name;
  return [...own.filter(fits), ...own.filter((row) => !fits(row))].slice(0, MOST_OFFERED);
}

/** The checkpoints of a run that is known, the newest first. */
function CheckpointField(props: {
  readonly runId: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { runId } = props;
  const { value: run } = useLabRequest('lab.run', runId === undefined ? undefined : { run: runId }, 'runs');
  const checkpoints = run?.checkpoints ?? [];
  return (
    <SelectField
      label={WORDS.checkpoint}
      value={checkpoints.includes(props.value) ? props.value : ''}
      disabled={checkpoints.length === 0}
      options={[
        { value: '', label: run?.checkpoints.length === 0 ? WORDS.noCheckpoint : WORDS.newest },
        ...checkpoints.map((path) => ({ value: path, label: path.replace(/^checkpoints\//, '') })),
      ]}
      onChange={props.onChange}
    />
  );
}

interface SubmitFormProps {
  readonly competition: LabCompetition;
  readonly user: string | undefined;
  readonly isOver: boolean;
  readonly onDone: () => void;
}

/** Gives a run's checkpoint to the evaluator. */
export function SubmitForm({ competition, user, isOver, onDone }: SubmitFormProps): ReactNode {
  const { client, engine, lab } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const rows = useStore(lab, (state) => state.rows);
  const action = useLabAction();
  const [run, setRun] = useState('');
  const [checkpoint, setCheckpoint] = useState('');
  const [isDryRun, setIsDryRun] = useState(false);
  const [isAsked, setIsAsked] = useState(false);
  const runs = offeredRuns(rows ?? [], competition, user);
  const known = rows?.find(({ name, runId }) => name === run.trim() || runId === run.trim());
  const blocked = isOver
    ? WORDS.isOver
    : competition.leftToday === 0 && !isDryRun
      ? WORDS.noneLeft
      : undefined;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setIsAsked(true);
    if (!live || action.isBusy || blocked !== undefined || run.trim() === '') return;
    const from = checkpoint === '' ? {} : { checkpoint };
    void action.attempt(WORDS.failed, async () => {
      await client.request('lab.submit', {
        competition: competition.name,
        run: run.trim(),
        isDryRun,
        ...from,
      });
      setIsAsked(false);
      onDone();
    });
  };
  return (
    <form className={styles['submit']} aria-label={WORDS.title} noValidate onSubmit={submit}>
      <h3 title={WORDS.teach}>{WORDS.title}</h3>
      <p className={shelf['muted']}>{WORDS.teach}</p>
      <SuggestField
        label={WORDS.run}
        hint={WORDS.runHint}
        value={run}
        placeholder={WORDS.runPlaceholder}
        offers={runs.map(({ name }) => name)}
        fault={isAsked && run.trim() === '' ? WORDS.noRun : undefined}
        onChange={(value) => {
          setRun(value);
          setCheckpoint('');
        }}
      />
      <CheckpointField runId={known?.runId} value={checkpoint} onChange={setCheckpoint} />
      <label className={styles['dry']} title={WORDS.dryRunHint}>
        <input
          type="checkbox"
          checked={isDryRun}
          onChange={(event) => setIsDryRun(event.currentTarget.checked)}
        />
        {WORDS.dryRun}
      </label>
      <div className={shelf['buttons']}>
        <Button type="submit" variant="primary" disabled={!live || action.isBusy || blocked !== undefined}>
          {action.isBusy ? WORDS.sending : isDryRun ? WORDS.sendDry : WORDS.send}
        </Button>
        {blocked !== undefined && <span className={shelf['warn']}>{blocked}</span>}
      </div>
      <FaultNote action={action} />
    </form>
  );
}
