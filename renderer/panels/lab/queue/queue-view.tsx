import type { ReactNode } from 'react';

import type { LabQueue } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, EmptyState } from '../../../ui';
import { Answered } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import { Nodes } from './nodes';
import { QueueTable } from './queue-table';

const STRINGS = strings.lab.queue;

const isWaiting = ({ state }: LabQueue['jobs'][number]): boolean =>
  state === 'queued' || state === 'preparing';

function Jobs({ jobs }: Pick<LabQueue, 'jobs'>): ReactNode {
  const { lab } = useSession();
  const launch = (
    <Button
      variant={jobs.length === 0 ? 'primary' : 'plain'}
      onClick={() => lab.getState().actions.open({ kind: 'launch' })}
    >
      {STRINGS.launch}
    </Button>
  );
  if (jobs.length === 0) {
    return (
      <EmptyState title={STRINGS.emptyTitle} action={launch}>
        {STRINGS.empty}
      </EmptyState>
    );
  }
  const waiting = jobs.filter(isWaiting).length;
  return (
    <>
      <header className={shelf['bar']}>
        <h2>{STRINGS.queue}</h2>
        <p role="status">{`${STRINGS.running(jobs.length - waiting)}, ${STRINGS.waiting(waiting)}`}</p>
        <span className={shelf['end']}>{launch}</span>
      </header>
      <QueueTable jobs={jobs} />
    </>
  );
}

/** What runs and what waits for what, and on which nodes. */
export function QueueView(): ReactNode {
  const answer = useLabRequest('lab.queue', {}, 'queue');
  return (
    <div className={shelf['shelf']} data-testid="lab-queue">
      <Answered answer={answer} loading={STRINGS.loading} failedTitle={STRINGS.failed}>
        {({ jobs, nodes, account }) => (
          <div className={shelf['split']}>
            <div className={shelf['column']}>
              <Jobs jobs={jobs} />
            </div>
            <Nodes nodes={nodes} account={account} />
          </div>
        )}
      </Answered>
    </div>
  );
}
