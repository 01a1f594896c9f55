import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote } from '../../ui';
import { ImportBar } from './import-bar';
import { JobList } from './job-list';
import { LanguageModels } from './language-models';
import { importExample } from './library-actions';
import { ModelInspector } from './model-inspector';
import { ModelsTable } from './models-table';
import { RemovedStrip } from './removed-strip';
import styles from './models-view.module.css';

const STRINGS = strings.models;

function Library(): ReactNode {
  const session = useSession();
  const models = useStore(session.models, (state) => state.models);
  const loadError = useStore(session.models, (state) => state.loadError);
  const status = useStore(session.engine, (state) => state.status.state);
  const busy = useStore(session.library, (state) => state.attempts.some(({ phase }) => phase !== 'failed'));
  if (models === undefined) {
    if (loadError !== undefined) return <FailureNote title={STRINGS.loadFailed} error={loadError} />;
    return <p className={styles['loading']}>{status === 'ok' ? STRINGS.loading : STRINGS.waiting}</p>;
  }
  if (models.length > 0) return <ModelsTable models={models} />;
  if (busy) return <p className={styles['loading']}>{STRINGS.firstImport}</p>;
  const action = (
    <Button variant="primary" disabled={status !== 'ok'} onClick={() => void importExample(session)}>
      {STRINGS.importTeach}
    </Button>
  );
  return (
    <EmptyState title={STRINGS.emptyTitle} action={action}>
      {STRINGS.empty}
    </EmptyState>
  );
}

export function ModelsView(): ReactNode {
  const { library, models } = useSession();
  const selected = useStore(library, (state) => state.selected);
  const exists = useStore(models, (state) => state.models?.some(({ name }) => name === selected) === true);
  return (
    <>
      <div className={styles['column']}>
        <ImportBar />
        <RemovedStrip />
        <JobList />
        <Library />
        <LanguageModels />
      </div>
      {selected !== undefined && exists && <ModelInspector key={selected} name={selected} />}
    </>
  );
}
