import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';

import { strings } from '../../strings';
import { buildRequestTrace, buildTrace } from '../../timeline-engine';
import type { ShownTrace, SpanRef, Timeline, TimeWindow, TraceModel } from '../../timeline-engine';
import { Button, EmptyState, FailureNote, ProgressBar } from '../../ui';
import { LayerTable } from './layer-table';
import { SpanInspector } from './span-inspector';
import { subjectLabel } from './subject';
import { SumsBar } from './sums-bar';
import styles from './timeline-panel.module.css';
import type { Recorded } from './timeline-store';
import { TimelineView } from './timeline-view';
import type { Shown } from './use-traces';
import { UsersTable } from './users-table';

const STRINGS = strings.timeline;

interface TraceBodyProps {
  readonly main: Shown;
  readonly compared: Shown | undefined;
  readonly timeline: Timeline | undefined;
  readonly onTimeline: (timeline: Timeline | undefined) => void;
  readonly onRetry: (key: string) => Promise<void>;
}

/** The chosen traces with their sums and tables, or why there is nothing to see. */
export function TraceBody({ main, compared, timeline, onTimeline, onRetry }: TraceBodyProps): ReactNode {
  const shown = useShownTraces(main, compared);
  const failed = [main, compared].find((shownOne) => shownOne?.trace?.state === 'failed');
  if (failed?.trace?.state === 'failed') {
    const retry = <Button onClick={() => void onRetry(failed.subject.key)}>{STRINGS.retry}</Button>;
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
    const text = main.subject.kind === 'run' ? STRINGS.noSpans : STRINGS.noRequests;
    return <EmptyState title={subjectLabel(main.subject)}>{text}</EmptyState>;
  }
  return <Traced main={main} shown={shown} timeline={timeline} onTimeline={onTimeline} />;
}

/** The traces in view, prepared once: the same array until one of them changes; undefined while one is on its way. */
function useShownTraces(main: Shown, compared: Shown | undefined): readonly ShownTrace[] | undefined {
  const recorded = main.trace?.state === 'ready' ? main.trace : undefined;
  const other = compared?.trace?.state === 'ready' ? compared.trace : undefined;
  const title = subjectLabel(main.subject);
  const otherTitle = compared && subjectLabel(compared.subject);
  const waiting = recorded === undefined || (compared !== undefined && other === undefined);
  return useMemo(() => {
    if (waiting) return undefined;
    const first = { title, model: modelOf(recorded) };
    return other && otherTitle !== undefined
      ? [first, { title: otherTitle, model: modelOf(other) }]
      : [first];
    // A running run's label changes with every inference; that alone is no reason to lay out its trace anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [waiting, recorded, other]);
}

function modelOf(recorded: Recorded): TraceModel {
  return recorded.source === 'layers' ? buildTrace(recorded.columns) : buildRequestTrace(recorded.columns);
}

interface TracedProps {
  readonly main: Shown;
  readonly shown: readonly ShownTrace[];
  readonly timeline: Timeline | undefined;
  readonly onTimeline: (timeline: Timeline | undefined) => void;
}

function Traced({ main, shown, timeline, onTimeline }: TracedProps): ReactNode {
  const [selected, setSelected] = useState<SpanRef>();
  const [range, setRange] = useState<TimeWindow>();
  const models = useMemo(() => shown.map(({ model }) => model), [shown]);
  const model = selected && models[selected.trace];
  const group = selected?.trace === 0 ? model?.groupOf[selected.span] : undefined;
  return (
    <>
      <SumsBar models={models} range={range} onClear={() => timeline?.setRange(undefined)} />
      <TimelineView traces={shown} onSelect={setSelected} onRange={setRange} onReady={onTimeline} />
      <div className={styles['below']}>
        <FiguresTable
          models={models}
          main={main}
          selected={group}
          onShow={(shownGroup) => timeline?.showGroup(shownGroup)}
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

interface FiguresTableProps {
  readonly models: readonly TraceModel[];
  readonly main: Shown;
  /** Layer or user of the chosen span. */
  readonly selected: number | undefined;
  readonly onShow: (group: number) => void;
}

/** The picture in words: by layer, or by user. */
function FiguresTable({ models, main, selected, onShow }: FiguresTableProps): ReactNode {
  const layers = useMemo(() => models.filter((model) => model.source === 'layers'), [models]);
  const first = models[0];
  if (first?.source === 'requests') {
    const decision = main.subject.kind === 'decision' ? main.subject.decision : undefined;
    return <UsersTable model={first} decision={decision} selectedUser={selected} onShow={onShow} />;
  }
  return <LayerTable models={layers} selectedLayer={selected} onShow={onShow} />;
}
