import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { REMOTE_STAGES, SPAN_KINDS } from '../../../core/contract';
import type { ReportSubject } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { TourLink } from '../../tour/tour-link';
import type { Timeline } from '../../timeline-engine';
import { Button, EmptyState, FailureNote } from '../../ui';
import { isRunning } from './subject';
import type { Subject } from './subject';
import styles from './timeline-panel.module.css';
import { Toolbar } from './toolbar';
import { TraceBody } from './trace-body';
import { useExport } from './use-export';
import { useTraces } from './use-traces';
import type { Shown, Traces } from './use-traces';

const STRINGS = strings.timeline;

/** What every layer of a run's last inference did, or every request of a decided round, and when. */
export function TimelinePanel(): ReactNode {
  const traces = useTraces();
  if (traces.main === undefined) return <NoRuns />;
  return <Chosen traces={traces} main={traces.main} />;
}

function NoRuns(): ReactNode {
  const { layout, engine } = useSession();
  const down = useStore(engine, ({ status }) => status.state === 'down' || status.state === 'restarting');
  if (down) return <EmptyState title={STRINGS.emptyTitle}>{STRINGS.emptyDown}</EmptyState>;
  const action = (
    <>
      <Button variant="primary" onClick={() => layout.getState().actions.setPanel('run')}>
        {STRINGS.goToRun}
      </Button>
      <TourLink />
    </>
  );
  return (
    <EmptyState title={STRINGS.emptyTitle} action={action}>
      {STRINGS.empty}
    </EmptyState>
  );
}

function Chosen({ traces, main }: { readonly traces: Traces; readonly main: Shown }): ReactNode {
  const { engine } = useSession();
  const live = useStore(engine, ({ status }) => status.state === 'ok');
  const [timeline, setTimeline] = useState<Timeline>();
  const { exported, start, dismiss } = useExport();
  const { store, compared } = traces;
  const actions = store.getState().actions;
  const { subject } = main;
  const newestRun = traces.subjects[0]?.kind === 'run' ? traces.subjects[0].key : undefined;
  return (
    <div className={styles['root']}>
      <Toolbar
        subjects={traces.subjects}
        main={subject}
        compareKey={compared?.subject.key}
        timeline={timeline}
        live={live}
        hasWaits={hasWaits(main)}
        exporting={exported.state === 'busy'}
        report={reportOf(subject, compared?.subject)}
        onRefresh={traces.refresh}
        onChoose={(key) => actions.choose(key === newestRun ? undefined : key)}
        onCompare={actions.compareWith}
        onReload={() => void actions.load(subject.key)}
        onExport={() => {
          if (subject.kind === 'run') start(subject.run);
        }}
      />
      {exported.state === 'saved' && (
        <p className={styles['note']} role="status">
          {STRINGS.exported(exported.where)}
          <Button variant="ghost" onClick={dismiss}>
            {strings.ui.ok}
          </Button>
        </p>
      )}
      {exported.state === 'failed' && (
        <div className={styles['fault']}>
          <FailureNote title={STRINGS.exportFailed} error={exported.error} onDismiss={dismiss} />
        </div>
      )}
      <TraceBody
        main={main}
        compared={compared}
        onRetry={actions.load}
        onTimeline={setTimeline}
        timeline={timeline}
      />
    </div>
  );
}

/** One run, or two beside each other; while one of them goes on there is nothing final to tell. */
function reportOf(main: Subject, compared: Subject | undefined): ReportSubject | undefined {
  if (main.kind !== 'run' || isRunning(main)) return undefined;
  if (compared === undefined) return { kind: 'run', run: main.run.id };
  return compared.kind === 'run' && !isRunning(compared)
    ? { kind: 'runs', from: main.run.id, to: compared.run.id }
    : undefined;
}

function hasWaits({ trace }: Shown): boolean {
  if (trace?.state !== 'ready') return false;
  const wait = trace.source === 'layers' ? SPAN_KINDS.indexOf('wait') : REMOTE_STAGES.indexOf('queue');
  return trace.columns.kind.includes(wait);
}
