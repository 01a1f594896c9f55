import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { formatBytesOf, formatEta } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote, ProgressBar } from '../../ui';
import { cancelInstall, installExample } from './decision-actions';
import styles from './decisions-view.module.css';

const STRINGS = strings.decisions;

/** How far the example is, with its rate's estimate, and the way to stop it. */
function InstallProgress({ jobId }: { readonly jobId: string }): ReactNode {
  const session = useSession();
  const tracked = useStore(session.jobs, (state) => state.jobs.find(({ job }) => job.id === jobId));
  const { doneBytes = 0, totalBytes = 0, phase = '' } = tracked?.job ?? {};
  const parts = [
    phase === '' ? STRINGS.installing : phase,
    ...(totalBytes > 0 ? [formatBytesOf(doneBytes, totalBytes)] : []),
    ...(tracked?.etaSec === undefined ? [] : [strings.ui.left(formatEta(tracked.etaSec))]),
  ];
  return (
    <div className={styles['progress']} data-testid="install-progress">
      <ProgressBar
        label={STRINGS.installing}
        fraction={totalBytes > 0 ? doneBytes / totalBytes : undefined}
      />
      <p role="status">{parts.join(', ')}</p>
      <Button onClick={() => void cancelInstall(session)}>{STRINGS.installCancel}</Button>
    </div>
  );
}

/** Teaches what the panel is for and fills it. */
export function InstallExample(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const jobId = useStore(session.offload, (state) => state.installJobId);
  const fault = useStore(session.offload, (state) => state.fault);
  const { setFault } = session.offload.getState().actions;
  const action =
    jobId === undefined ? (
      <Button variant="primary" disabled={!live} onClick={() => void installExample(session)}>
        {STRINGS.emptyAction}
      </Button>
    ) : (
      <InstallProgress jobId={jobId} />
    );
  return (
    <EmptyState title={STRINGS.emptyTitle} action={action}>
      {STRINGS.empty}
      {fault !== undefined && (
        <FailureNote title={fault.title} error={fault.error} onDismiss={() => setFault(undefined)} />
      )}
    </EmptyState>
  );
}
