import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { SPAN_KINDS } from '../../../core/contract';
import { useSession } from '../../session';
import { buildTrace } from '../../timeline-engine';
import type { ShownTrace, SpanRef, Timeline, TimeWindow } from '../../timeline-engine';
import { Button, EmptyState, FailureNote, ProgressBar } from '../../ui';
import { LayerTable } from './layer-table';
import { runLabel } from './run-label';
import { SpanInspector } from './span-inspector';
import { STRINGS } from './strings';
import { SumsBar } from './sums-bar';
import styles from './timeline-panel.module.css';
import { TimelineView } from './timeline-view';
import { Toolbar } from './toolbar';
import { useExport } from './use-export';
import { useTraces } from './use-traces';
import type { ShownRun, Traces } from './use-traces';

/** What every layer of a run's last inference did, and when. */
export function TimelinePanel(): ReactNode {
  const traces = useTraces();
  if (traces.main === undefined) return <NoRuns />;
  return <Shown traces={traces} main={traces.main} />;
}

function NoRuns(): ReactNode {
  const { layout, engine } = useSession();
  const down = useStore(engine, ({ status }) => status.state === 'down' || status.state === 'restarting');
  if (down) return <EmptyState title={STRINGS.emptyTitle}>{STRINGS.emptyDown}</EmptyState>;
  const action = (
    <Button variant="primary" onClick={() => layout.getState().actions.setPanel('run')}>
      {STRINGS.goToRun}
    </Button>
  );
  return (
    <EmptyState title={STRINGS.emptyTitle} action={action}>
      {STRINGS.empty}
    </EmptyState>
  );
}

function Shown({ traces, main }: { readonly traces: Traces; readonly main: ShownRun }): ReactNode {
  const { engine } = useSession();
  const live = useStore(engine, ({ status }) => status.state === 'ok');
  const [timeline, setTimeline] = useState<Timeline>();
  const { exported, start, dismiss } = useExport();
  const { store, compared } = traces;
  const actions = store.getState().actions;
  return (
    <div className={styles['root']}>
      <Toolbar
        runs={traces.runs}
        runId={main.run.id}
        compareId={compared?.run.id}
        timeline={timeline}
        live={live}
        hasWaits={hasWaits(main)}
        running={main.run.state === 'running'}
        exporting={exported.state === 'busy'}
        onChoose={(id) => actions.choose(id === traces.runs[0]?.id ? undefined : id)}
        onCompare={actions.compareWith}
        onReload={() => void actions.load(main.run.id)}
        onExport={() => start(main.run)}
      />
      {exported.state === 'saved' && (
        <p className={styles['note']} role="status">
          {STRINGS.exported(exported.where)}
          <Button variant="ghost" onClick={dismiss}>
            OK
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

function hasWaits({ trace }: ShownRun): boolean {
  return trace?.state === 'ready' && trace.columns.kind.includes(SPAN_KINDS.indexOf('wait'));
}

interface TraceBodyProps {
  readonly main: ShownRun;
  readonly compared: ShownRun | undefined;
  readonly timeline: Timeline | undefined;
  readonly onTimeline: (timeline: Timeline | undefined) => void;
  readonly onRetry: (runId: string) => Promise<void>;
}

function TraceBody({ main, compared, timeline, onTimeline, onRetry }: TraceBodyProps): ReactNode {
  const shown = useShownTraces(main, compared);
  const failed = [main, compared].find((run) => run?.trace?.state === 'failed');
  if (failed?.trace?.state === 'failed') {
    const retry = <Button onClick={() => void onRetry(failed.run.id)}>{STRINGS.retry}</Button>;
    return (
      <div className={styles['fault']}>
        <FailureNote title={STRINGS.loadFailed} error={failed.trace.error} actions={retry} />
      </div>
    );
  }
  if (shown === undefined) {
    return (
      <div className={styles['busy']}>
        <ProgressBar label={STRINGS.loading} fraction={undefined} />
        <p>{STRINGS.loading}</p>
      </div>
    );
  }
  if (shown[0]?.model.columns.startUs.length === 0) {
    return <EmptyState title={runLabel(main.run)}>{STRINGS.noSpans}</EmptyState>;
  }
  return <Traced shown={shown} timeline={timeline} onTimeline={onTimeline} />;
}

/** The traces in view, prepared once: the same array until one of them changes; undefined while one is on its way. */
function useShownTraces(main: ShownRun, compared: ShownRun | undefined): readonly ShownTrace[] | undefined {
  const columns = main.trace?.state === 'ready' ? main.trace.columns : undefined;
  const other = compared?.trace?.state === 'ready' ? compared.trace.columns : undefined;
  const title = runLabel(main.run);
  const otherTitle = compared && runLabel(compared.run);
  const waiting = columns === undefined || (compared !== undefined && other === undefined);
  return useMemo(() => {
    if (waiting) return undefined;
    const first = { title, model: buildTrace(columns) };
    return other && otherTitle !== undefined
      ? [first, { title: otherTitle, model: buildTrace(other) }]
      : [first];
    // A running run's label changes with every inference; that alone is no reason to lay out its trace anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [waiting, columns, other]);
}

interface TracedProps {
  readonly shown: readonly ShownTrace[];
  readonly timeline: Timeline | undefined;
  readonly onTimeline: (timeline: Timeline | undefined) => void;
}

function Traced({ shown, timeline, onTimeline }: TracedProps): ReactNode {
  const [selected, setSelected] = useState<SpanRef>();
  const [range, setRange] = useState<TimeWindow>();
  const models = useMemo(() => shown.map(({ model }) => model), [shown]);
  const model = selected && models[selected.trace];
  const layer = selected?.trace === 0 ? model?.columns.layer[selected.span] : undefined;
  return (
    <>
      <SumsBar models={models} range={range} onClear={() => timeline?.setRange(undefined)} />
      <TimelineView traces={shown} onSelect={setSelected} onRange={setRange} onReady={onTimeline} />
      <div className={styles['below']}>
        <LayerTable
          models={models}
          selectedLayer={layer}
          onShow={(shownLayer) => timeline?.showLayer(shownLayer)}
        />
        {selected && model && (
          <SpanInspector
            model={model}
            selected={selected}
            onSelect={(ref) => timeline?.select(ref, true)}
            onZoom={() => timeline?.zoomToSelection()}
            onStep={(direction) => timeline?.step(direction)}
          />
        )}
      </div>
    </>
  );
}
