import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabStatus, WireError } from '../../../core/contract';
import { startLab, useSession, watchLab } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote, LazyBody } from '../../ui';
import styles from './lab-panel.module.css';
import { ViewTabs, tabId } from './view-tabs';
import { LAB_VIEWS } from './views';

const STRINGS = strings.lab.frame;

function titleOf(status: LabStatus | undefined, { code }: WireError): string {
  if (code === 'timeout') return STRINGS.silent;
  return status?.state === 'failed' ? STRINGS.failed : STRINGS.loadFailed;
}

/** What stands in a view's place while there is no lab to show. */
function NoLab(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const status = useStore(session.lab, (state) => state.status);
  const loadError = useStore(session.lab, (state) => state.loadError);
  const again = (
    <Button variant="primary" disabled={!live} onClick={() => void startLab(session)}>
      {STRINGS.again}
    </Button>
  );
  const error = status?.state === 'failed' ? status.error : loadError;
  if (error !== undefined)
    return (
      <div className={styles['note']} data-testid="lab-failed">
        <FailureNote title={titleOf(status, error)} error={error} actions={again} />
      </div>
    );
  if (!live) return <p className={styles['waiting']}>{STRINGS.waiting}</p>;
  return (
    <div role="status" className={styles['starting']} data-testid="lab-starting">
      <EmptyState title={STRINGS.starting}>{STRINGS.startingHint}</EmptyState>
    </div>
  );
}

/** The lab's views under a strip of tabs. Opening it starts the lab. */
export function LabPanel(): ReactNode {
  const session = useSession();
  useEffect(() => watchLab(session), [session]);
  const shown = useStore(session.lab, (state) => state.view);
  const hasRows = useStore(session.lab, (state) => state.rows !== undefined);
  const fault = useStore(session.lab, (state) => state.fault);
  const loadError = useStore(session.lab, (state) => state.loadError);
  const hasFailed = useStore(session.lab, (state) => state.status?.state === 'failed');
  const view = LAB_VIEWS.find(({ id }) => id === shown) ?? LAB_VIEWS[0];
  // What is there stays readable when the lab goes away.
  const isThere = hasRows;
  return (
    <div className={styles['lab']} data-testid="lab">
      <ViewTabs views={LAB_VIEWS} shown={view?.id ?? ''} />
      {fault !== undefined && (
        <div className={styles['fault']}>
          <FailureNote
            title={fault.title}
            error={fault.error}
            onDismiss={() => session.lab.getState().actions.setFault(undefined)}
          />
        </div>
      )}
      {isThere && (hasFailed || loadError !== undefined) && <NoLab />}
      <div
        role="tabpanel"
        id={`lab-view-${view?.id}`}
        aria-labelledby={tabId(view?.id ?? '')}
        className={styles['view']}
      >
        {isThere && view !== undefined ? <LazyBody key={view.id} view={view.view} /> : <NoLab />}
      </div>
    </div>
  );
}
