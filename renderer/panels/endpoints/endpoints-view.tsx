import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote, UndoStrip } from '../../ui';
import { AddForm } from './add-form';
import { discardRemoved, restoreEndpoint } from './endpoint-actions';
import { EndpointInspector } from './endpoint-inspector';
import { EndpointsTable } from './endpoints-table';
import styles from './endpoints-view.module.css';

const STRINGS = strings.endpoints;

/** What was removed last, what went with it, and the way back. */
function Removed(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const removed = useStore(session.endpoints, (state) => state.removed);
  if (removed === undefined) return null;
  const words = STRINGS.removed;
  return (
    <section aria-label={words.region} data-testid="removed-endpoint" data-name={removed.name}>
      <UndoStrip
        key={removed.id}
        undoLabel={words.undo}
        disabled={!live}
        onUndo={() => void restoreEndpoint(session, removed)}
        discardLabel={words.discard}
        onDiscard={() => void discardRemoved(session)}
      >
        {words.done} <code>{removed.name}</code>
        {removed.token !== 'none' && ` ${words.withToken}`}
        <span>{words.hint}</span>
      </UndoStrip>
    </section>
  );
}

function Fault(): ReactNode {
  const { endpoints } = useSession();
  const fault = useStore(endpoints, (state) => state.fault);
  if (fault === undefined) return null;
  const { setFault } = endpoints.getState().actions;
  return (
    <div className={styles['fault']}>
      <FailureNote title={fault.title} error={fault.error} onDismiss={() => setFault(undefined)} />
    </div>
  );
}

/** Puts the cursor where an endpoint is added. */
function focusForm(): void {
  document.querySelector<HTMLInputElement>('[data-testid="panel-endpoints"] form input')?.focus();
}

function List(): ReactNode {
  const session = useSession();
  const endpoints = useStore(session.endpoints, (state) => state.endpoints);
  const loadError = useStore(session.endpoints, (state) => state.loadError);
  const status = useStore(session.engine, (state) => state.status.state);
  if (endpoints === undefined) {
    if (loadError !== undefined) return <FailureNote title={STRINGS.loadFailed} error={loadError} />;
    return <p className={styles['loading']}>{status === 'ok' ? STRINGS.loading : STRINGS.waiting}</p>;
  }
  if (endpoints.length > 0) return <EndpointsTable endpoints={endpoints} />;
  const action = (
    <Button variant="primary" onClick={focusForm}>
      {STRINGS.emptyAction}
    </Button>
  );
  return (
    <EmptyState title={STRINGS.emptyTitle} action={action}>
      {STRINGS.empty}
    </EmptyState>
  );
}

/** The servers this deployment may use. */
export function EndpointsView(): ReactNode {
  const { endpoints } = useSession();
  const selected = useStore(endpoints, (state) => state.endpoints?.find(({ id }) => id === state.selected));
  return (
    <div className={styles['view']}>
      <AddForm />
      {/* An inspector that lies over the list leaves the form in reach. */}
      <div className={styles['split']}>
        <div className={styles['column']}>
          <Removed />
          <Fault />
          <List />
        </div>
        {selected !== undefined && <EndpointInspector key={selected.id} endpoint={selected} />}
      </div>
    </div>
  );
}
