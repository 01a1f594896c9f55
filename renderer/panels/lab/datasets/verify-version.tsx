import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../core/contract';
import type { RequestOutput, WireError } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { cancelWork, uniqueId, useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, FailureNote, ProgressBar } from '../../../ui';
import styles from './datasets.module.css';

const STRINGS = strings.lab.datasets;

const WORDS = STRINGS.inspector;

type Check =
  | { readonly state: 'running'; readonly jobId: string }
  | { readonly state: 'done'; readonly report: RequestOutput<'lab.verifyDataset'> }
  | { readonly state: 'failed'; readonly error: WireError };

export interface VerifyState {
  readonly check: Check | undefined;
  readonly begin: () => void;
  readonly dismiss: () => void;
}

/** Reads a version again; what came of it stays until the next time. */
export function useVerify(name: string, version: number): VerifyState {
  const session = useSession();
  const [check, setCheck] = useState<Check>();
  const begin = (): void => {
    const jobId = uniqueId();
    setCheck({ state: 'running', jobId });
    session.client
      .request('lab.verifyDataset', { jobId, name, version })
      .then(
        (report) => setCheck({ state: 'done', report }),
        (thrown: unknown) => {
          const error = SluiceError.from(thrown);
          setCheck(error.code === 'cancelled' ? undefined : { state: 'failed', error: error.toWire() });
        },
      )
      .finally(() => session.jobs.getState().actions.dismiss(jobId));
  };
  return { check, begin, dismiss: () => setCheck(undefined) };
}

function Running({ jobId, subject }: { readonly jobId: string; readonly subject: string }): ReactNode {
  const session = useSession();
  const tracked = useStore(session.jobs, ({ jobs }) => jobs.find(({ job }) => job.id === jobId));
  const job = tracked?.job;
  const isSized = job !== undefined && job.totalBytes > 0;
  return (
    <div className={styles['verifying']}>
      <ProgressBar
        label={STRINGS.verifying(subject)}
        fraction={isSized ? job.doneBytes / job.totalBytes : undefined}
      />
      <span>{isSized ? formatBytes(job.doneBytes) : WORDS.verifyStarting}</span>
      <Button variant="ghost" onClick={() => void cancelWork(session, jobId)}>
        {STRINGS.cancel}
      </Button>
    </div>
  );
}

/** How a check goes, or what it found. */
export function VerifyNote(props: { readonly verify: VerifyState; readonly subject: string }): ReactNode {
  const { check, dismiss } = props.verify;
  if (check === undefined) return null;
  if (check.state === 'running') return <Running jobId={check.jobId} subject={props.subject} />;
  if (check.state === 'failed')
    return <FailureNote title={WORDS.verifyFailed} error={check.error} onDismiss={dismiss} />;
  const { faults, bytes } = check.report;
  if (faults.length === 0) return <p role="status">{WORDS.verified(formatBytes(bytes))}</p>;
  return (
    <div role="alert" className={styles['damage']}>
      <p>{WORDS.faults(faults.length)}</p>
      <ul>
        {faults.map((fault) => (
          <li key={fault}>{fault}</li>
        ))}
      </ul>
    </div>
  );
}
