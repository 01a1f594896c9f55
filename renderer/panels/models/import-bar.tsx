import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button } from '../../ui';
import styles from './import-bar.module.css';
import { chooseAndImport, importExample, importFile } from './library-actions';

const STRINGS = strings.models;

/** Ways to bring a model in: a dialog, a path, the example; dropping works anywhere in the window. */
export function ImportBar(): ReactNode {
  const session = useSession();
  const [path, setPath] = useState('');
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const busy = useStore(session.library, (state) => state.attempts.some(({ phase }) => phase !== 'failed'));
  const hasExample = useStore(session.models, (state) =>
    state.models?.some(({ task }) => task.kind === 'text'),
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const trimmed = path.trim();
    if (trimmed === '') return;
    void importFile(session, { kind: 'path', name: trimmed.split(/[/\\]/).at(-1) ?? trimmed, path: trimmed });
    setPath('');
  };
  return (
    <div className={styles['bar']}>
      <Button variant="primary" disabled={!live} onClick={() => void chooseAndImport(session)}>
        {STRINGS.import}
      </Button>
      {hasExample !== true && (
        <Button disabled={!live || busy} onClick={() => void importExample(session)}>
          {STRINGS.importExample}
        </Button>
      )}
      <form className={styles['path']} onSubmit={submit}>
        <input
          type="text"
          aria-label={STRINGS.path}
          placeholder={STRINGS.pathPlaceholder}
          value={path}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!live || path.trim() === ''}>
          {STRINGS.importPath}
        </Button>
      </form>
      <span className={styles['hint']}>{STRINGS.dropHint}</span>
    </div>
  );
}
