import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../core/contract';
import type { LabDataset } from '../../../../core/contract';
import { uniqueId, useSession } from '../../../session';
import type { Session } from '../../../session';
import { strings } from '../../../strings';
import { Button, TextField } from '../../../ui';
import styles from './datasets.module.css';

const STRINGS = strings.lab.datasets;

const WORDS = STRINGS.form;

interface PushFormProps {
  readonly datasets: readonly LabDataset[];
  /** Of the dataset to add a version to. */
  readonly name: string;
  readonly onClose: () => void;
  /** It is in. */
  readonly onPushed: (name: string) => void;
}

interface Push {
  readonly name: string;
  readonly folder: string;
  readonly note: string;
}

/** Pushes a folder; progress and failure are the job's, which outlives the form. */
async function push(session: Session, input: Push, onPushed: (name: string) => void): Promise<void> {
  const jobId = uniqueId();
  const { actions } = session.jobs.getState();
  const begun = {
    id: jobId,
    kind: 'push',
    subject: input.name,
    phase: '',
    doneBytes: 0,
    totalBytes: 0,
    state: 'running',
    startedAt: new Date().toISOString(),
  } as const;
  // It is in view before the engine's first report.
  actions.update(begun);
  try {
    await session.client.request('lab.pushDataset', { jobId, ...input });
    actions.dismiss(jobId);
    onPushed(input.name);
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.code === 'cancelled') actions.dismiss(jobId);
    else actions.update({ ...begun, state: 'failed', error: error.toWire() });
  }
}

function nameFault(name: string): string | undefined {
  if (name === '') return WORDS.noName;
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) ? undefined : WORDS.badName;
}

function folderFault(folder: string): string | undefined {
  if (folder === '') return WORDS.noFolder;
  return /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(folder) ? undefined : WORDS.notAbsolute;
}

/** What the push will make of the name. */
function outcome(datasets: readonly LabDataset[], name: string): string {
  const known = datasets.find((dataset) => dataset.name === name);
  if (known === undefined) return name === '' ? '' : WORDS.isNew;
  return WORDS.isNext(name, (known.versions[0]?.number ?? 0) + 1);
}

/** The line of fields that pushes a folder as a new version. */
export function PushForm({ datasets, name: first, onClose, onPushed }: PushFormProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const [name, setName] = useState(first);
  const [folder, setFolder] = useState('');
  const [note, setNote] = useState('');
  const [isAsked, setIsAsked] = useState(false);
  const [chooseFault, setChooseFault] = useState<string>();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelectorAll('input')[first === '' ? 0 : 1]?.focus(), [first]);
  const faults = { name: nameFault(name.trim()), folder: folderFault(folder.trim()) };
  const { chooseFolder } = session.host;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setIsAsked(true);
    if (!live || faults.name !== undefined || faults.folder !== undefined) return;
    void push(session, { name: name.trim(), folder: folder.trim(), note: note.trim() }, onPushed);
    onClose();
  };
  return (
    <form
      ref={form}
      className={styles['push']}
      aria-label={WORDS.title}
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <TextField
        label={WORDS.name}
        value={name}
        mono
        placeholder={WORDS.namePlaceholder}
        fault={isAsked ? faults.name : undefined}
        onChange={setName}
      />
      <div className={styles['folder']}>
        <TextField
          label={WORDS.folder}
          hint={WORDS.folderHint}
          value={folder}
          mono
          placeholder={WORDS.folderPlaceholder}
          fault={(isAsked ? faults.folder : undefined) ?? chooseFault}
          onChange={setFolder}
        />
        {chooseFolder !== undefined && (
          <Button
            onClick={() => {
              setChooseFault(undefined);
              chooseFolder().then(
                (path) => {
                  if (path !== undefined) setFolder(path);
                },
                (thrown: unknown) => setChooseFault(SluiceError.from(thrown).message),
              );
            }}
          >
            {WORDS.choose}
          </Button>
        )}
      </div>
      <TextField label={WORDS.note} value={note} placeholder={WORDS.notePlaceholder} onChange={setNote} />
      <span className={styles['pushButtons']}>
        <Button type="submit" variant="primary" disabled={!live}>
          {WORDS.push}
        </Button>
        <Button onClick={onClose}>{WORDS.cancel}</Button>
      </span>
      <p className={styles['outcome']} role="status">
        {outcome(datasets, name.trim())}
      </p>
    </form>
  );
}
