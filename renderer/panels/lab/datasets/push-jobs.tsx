import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { cancelWork, useSession } from '../../../session';
import { strings } from '../../../strings';
import { FailureNote, ProgressRow } from '../../../ui';
import styles from './datasets.module.css';

const STRINGS = strings.lab.datasets;

/** Folders on their way in, and those that did not get there. They go on while another panel shows. */
export function PushJobs(): ReactNode {
  const session = useSession();
  const tracked = useStore(session.jobs, (state) => state.jobs);
  const shown = tracked.filter(({ job }) => job.kind === 'push' && job.state !== 'done');
  const open = shown.filter(({ job }) => job.state !== 'cancelled');
  if (open.length === 0) return null;
  return (
    <ul className={styles['jobs']}>
      {open.map(({ job, bytesPerSec, etaSec }) =>
        job.state === 'failed' ? (
          <li key={job.id} data-testid="job-row" data-state="failed">
            {job.error !== undefined && (
              <FailureNote
                title={STRINGS.pushFailed(job.subject)}
                error={job.error}
                onDismiss={() => session.jobs.getState().actions.dismiss(job.id)}
              />
            )}
          </li>
        ) : (
          <ProgressRow
            key={job.id}
            title={STRINGS.pushing(job.subject)}
            phase={job.phase}
            doneBytes={job.doneBytes}
            totalBytes={job.totalBytes}
            bytesPerSec={bytesPerSec}
            etaSec={etaSec}
            cancelLabel={STRINGS.cancel}
            onCancel={() => void cancelWork(session, job.id)}
          />
        ),
      )}
    </ul>
  );
}
