import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FailureNote, TextField } from '../../ui';
import styles from './add-model.module.css';
import { AdditionList } from './addition-list';
import { addModel, chooseAndImport, importLanguageModel } from './model-actions';

const STRINGS = strings.language;

const WORDS = STRINGS.add;

/** `owner/name`, as hubs write repositories. */
export function isRepository(text: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(text);
}

function PathForm(): ReactNode {
  const session = useSession();
  const [path, setPath] = useState('');
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const trimmed = path.trim();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (trimmed === '' || !live) return;
    const name = trimmed.split(/[/\\]/).filter(Boolean).at(-1) ?? trimmed;
    void importLanguageModel(session, { kind: 'path', name, path: trimmed });
    setPath('');
  };
  return (
    <form className={styles['path']} onSubmit={submit}>
      <input
        type="text"
        aria-label={WORDS.path}
        placeholder={WORDS.pathPlaceholder}
        value={path}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setPath(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!live || trimmed === ''}>
        {WORDS.importPath}
      </Button>
    </form>
  );
}

function HubForm({ onDone }: { readonly onDone: () => void }): ReactNode {
  const session = useSession();
  const [repository, setRepository] = useState('');
  const [file, setFile] = useState('');
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const trimmed = repository.trim();
  const isBad = trimmed !== '' && !isRepository(trimmed);
  const isComplete = trimmed !== '' && !isBad;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!isComplete || !live) return;
    const wanted = file.trim();
    void addModel(session, {
      kind: 'hub',
      repository: trimmed,
      ...(wanted === '' ? {} : { file: wanted }),
    });
    onDone();
  };
  return (
    <form className={styles['hub']} aria-label={WORDS.hubForm} onSubmit={submit}>
      <TextField
        label={WORDS.repository}
        hint={WORDS.repositoryHint}
        placeholder={WORDS.repositoryPlaceholder}
        mono
        value={repository}
        fault={isBad ? WORDS.badRepository : undefined}
        onChange={setRepository}
      />
      <TextField
        label={WORDS.file}
        hint={WORDS.fileHint}
        placeholder={WORDS.filePlaceholder}
        mono
        value={file}
        onChange={setFile}
      />
      <Button type="submit" variant="primary" disabled={!live || !isComplete}>
        {WORDS.download}
      </Button>
    </form>
  );
}

interface AddModelProps {
  /** `teach`: in an empty panel, where it is the one thing to do. */
  readonly look: 'teach' | 'bar';
}

/** Ways to bring a language model in: a dialog, a path, a hub. What is under way or failed stands below. */
export function AddModel({ look }: AddModelProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const fault = useStore(session.language, (state) => state.faults.models);
  const { setFault } = session.language.getState().actions;
  const [isHubOpen, setIsHubOpen] = useState(false);
  return (
    <div className={styles['add']} data-look={look} role="group" aria-label={WORDS.region}>
      <div className={styles['ways']}>
        <Button
          variant={look === 'teach' ? 'primary' : 'plain'}
          disabled={!live}
          onClick={() => void chooseAndImport(session)}
        >
          {WORDS.import}
        </Button>
        <Button aria-expanded={isHubOpen} onClick={() => setIsHubOpen((isOpen) => !isOpen)}>
          {WORDS.hub}
        </Button>
        <PathForm />
      </div>
      {isHubOpen && <HubForm onDone={() => setIsHubOpen(false)} />}
      {fault !== undefined && (
        <FailureNote
          title={fault.title}
          error={fault.error}
          onDismiss={() => setFault('models', undefined)}
        />
      )}
      <AdditionList />
    </div>
  );
}
