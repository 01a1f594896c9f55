import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { cancelWork, useSession } from '../../session';
import type { ImportAttempt, TrackedJob } from '../../stores';
import { strings } from '../../strings';
import { Button, FailureNote, ProgressRow } from '../../ui';
import styles from './job-list.module.css';
import { importExample, importFile } from './library-actions';

const STRINGS = strings.models;

const WORDS = STRINGS.job;

/** Imports before their job exists (uploads), and those that failed. */
function AttemptRow({ attempt }: { readonly attempt: ImportAttempt }): ReactNode {
  const session = useSession();
  const { end } = session.library.getState().actions;
  if (attempt.phase !== 'failed' || attempt.error === undefined) {
    const uploading = attempt.phase === 'uploading';
    return (
      <ProgressRow
        title={attempt.title}
        phase={uploading ? WORDS.uploading : WORDS.starting}
        doneBytes={uploading ? attempt.sentBytes : 0}
        totalBytes={uploading ? attempt.totalBytes : 0}
        cancelLabel={WORDS.cancel}
        onCancel={() => void cancelWork(session, attempt.id)}
      />
    );
  }
  const { error, source } = attempt;
  const again = (replace: boolean): void => {
    end(attempt.id);
    void (source === undefined ? importExample(session) : importFile(session, source, replace));
  };
  const conflict = error.code === 'conflict' && source !== undefined;
  return (
    <li data-testid="job-row" data-state="failed">
      <FailureNote
        title={STRINGS.failedImport(attempt.title)}
        error={error}
        onDismiss={() => end(attempt.id)}
        actions={
          <Button variant="ghost" onClick={() => again(conflict)}>
            {conflict ? WORDS.replace : WORDS.retry}
          </Button>
        }
      />
    </li>
  );
}

function JobRow({ tracked }: { readonly tracked: TrackedJob }): ReactNode {
  const session = useSession();
  const { job } = tracked;
  const dismiss = (): void => session.jobs.getState().actions.dismiss(job.id);
  if (job.state === 'running') {
    return (
      <ProgressRow
        title={`${WORDS[job.kind]} ${job.subject}`}
        phase={job.phase}
        doneBytes={job.doneBytes}
        totalBytes={job.totalBytes}
        bytesPerSec={tracked.bytesPerSec}
        etaSec={tracked.etaSec}
        cancelLabel={WORDS.cancel}
        onCancel={() => void cancelWork(session, job.id)}
      />
    );
  }
  if (job.state === 'failed' && job.error !== undefined) {
    return (
      <li data-testid="job-row" data-state="failed">
        <FailureNote title={STRINGS.failedJob(job.kind, job.subject)} error={job.error} onDismiss={dismiss} />
      </li>
    );
  }
  return (
    <li className={styles['ended']} data-testid="job-row" data-state={job.state}>
      <span>{`${WORDS[job.kind]} ${job.subject}`}</span>
      <span className={styles['phase']}>{job.state === 'cancelled' ? WORDS.cancelled : WORDS.done}</span>
      <Button variant="ghost" className={styles['last']} onClick={dismiss}>
        {WORDS.dismiss}
      </Button>
    </li>
  );
}

/** What is going on in the library, and what went wrong. Empty when nothing is. */
export function JobList(): ReactNode {
  const { jobs, library, language } = useSession();
  const tracked = useStore(jobs, (state) => state.jobs);
  const attempts = useStore(library, (state) => state.attempts);
  const known = new Set(tracked.map(({ job }) => job.id));
  const failed = new Set(attempts.filter(({ phase }) => phase === 'failed').map(({ id }) => id));
  const waiting = attempts.filter(({ id }) => failed.has(id) || !known.has(id));
  const additions = useStore(language, (state) => state.additions);
  const verifications = useStore(language, (state) => state.verifications);
  // Language models show theirs in their own section.
  const elsewhere = new Set([
    ...additions.map(({ id }) => id),
    ...Object.values(verifications).map((entry) => (entry.state === 'running' ? entry.jobId : '')),
  ]);
  // The engine runs profiles on its own: once done they say nothing new. Pushes are the lab's.
  const shown = tracked.filter(
    ({ job }) => job.kind !== 'push' && job.state !== 'done' && !failed.has(job.id) && !elsewhere.has(job.id),
  );
  if (waiting.length === 0 && shown.length === 0) return null;
  return (
    <ul className={styles['list']}>
      {waiting.map((attempt) => (
        <AttemptRow key={attempt.id} attempt={attempt} />
      ))}
      {shown.map((entry) => (
        <JobRow key={entry.job.id} tracked={entry} />
      ))}
    </ul>
  );
}
