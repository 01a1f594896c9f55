import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabQueueJob } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, VirtualTable } from '../../../ui';
import type { TableColumn } from '../../../ui';
import { formatDuration } from '../lab-format';
import { useNow } from '../../../ui/use-now';
import { FaultNote, RunLink, useLabAction } from '../shelf';
import styles from './queue.module.css';

const STRINGS = strings.lab.queue;

const COLUMNS = STRINGS.columns;

/** The node of one that runs; of one that waits, its engine and why. */
function Where({ engine, node, reason }: LabQueueJob): ReactNode {
  if (node !== undefined) return <span className={styles['mono']}>{node}</span>;
  return (
    <>
      <span className={styles['muted']}>{engine}</span> {reason}
    </>
  );
}

function columnsOf(
  nowMs: number,
  stop: (job: LabQueueJob) => void,
  canStop: boolean,
): readonly TableColumn<LabQueueJob>[] {
  return [
    {
      key: 'position',
      label: COLUMNS.position,
      hint: STRINGS.hints.position,
      width: '3ch',
      align: 'end',
      help: 'lab.position',
      cell: ({ position }) => position ?? '',
    },
    {
      key: 'title',
      label: COLUMNS.title,
      width: 'minmax(15ch, 1.2fr)',
      mono: true,
      title: ({ title, user }) => STRINGS.by(title, user),
      cell: ({ runId, title, user }) =>
        runId === undefined ? STRINGS.by(title, user) : <RunLink runId={runId} name={title} />,
    },
    {
      key: 'state',
      label: COLUMNS.state,
      width: '8ch',
      cell: ({ state }) => <span data-state={state}>{strings.lab.frame.states[state]}</span>,
    },
    {
      key: 'where',
      label: COLUMNS.where,
      width: 'minmax(10ch, 3fr)',
      title: ({ engine, node, reason }) => reason ?? node ?? engine,
      cell: Where,
    },
    {
      key: 'cpus',
      label: COLUMNS.cpus,
      width: '5ch',
      align: 'end',
      help: 'lab.cpus',
      cell: ({ resources }) => resources.cpus,
    },
    {
      key: 'gpus',
      label: COLUMNS.gpus,
      width: '5ch',
      align: 'end',
      help: 'lab.gpus',
      cell: ({ resources }) => resources.gpus,
    },
    {
      key: 'memory',
      label: COLUMNS.memory,
      width: '9ch',
      align: 'end',
      help: 'lab.memory',
      cell: ({ resources }) => formatBytes(resources.memoryBytes),
    },
    {
      key: 'priority',
      label: COLUMNS.priority,
      hint: STRINGS.hints.priority,
      width: '7ch',
      align: 'end',
      help: 'lab.priority',
      cell: ({ priority }) => priority,
    },
    {
      key: 'since',
      label: COLUMNS.since,
      hint: STRINGS.hints.since,
      width: '8ch',
      align: 'end',
      help: 'lab.since',
      cell: ({ startedMs, submittedMs }) => formatDuration(nowMs - (startedMs ?? submittedMs)),
    },
    {
      key: 'stop',
      label: COLUMNS.actions,
      width: '6ch',
      align: 'end',
      cell: (job) =>
        job.runId === undefined || job.state === 'stopping' ? (
          ''
        ) : (
          <Button
            variant="ghost"
            title={STRINGS.stopHint(job.title)}
            aria-label={`${STRINGS.stop} ${job.title}`}
            disabled={!canStop}
            onClick={() => stop(job)}
          >
            {STRINGS.stop}
          </Button>
        ),
    },
  ];
}

/** Everything that runs or waits, in the order in which it will start. */
export function QueueTable({ jobs }: { readonly jobs: readonly LabQueueJob[] }): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const nowMs = useNow();
  const canStop = live && !action.isBusy;
  const { attempt } = action;
  const columns = useMemo(
    () =>
      columnsOf(
        nowMs,
        ({ runId, title }) => {
          if (runId === undefined) return;
          void attempt(STRINGS.stopFailed(title), () => client.request('lab.stop', { run: runId }));
        },
        canStop,
      ),
    // `attempt` is a new function at every render and does the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [nowMs, client, canStop],
  );
  return (
    <>
      <FaultNote action={action} />
      <VirtualTable
        label={STRINGS.queue}
        rows={jobs}
        columns={columns}
        rowKey={({ key }) => key}
        rowData={({ state }) => ({ 'data-testid': 'queue-row', 'data-state': state })}
        minWidthPx={700}
      />
    </>
  );
}
