import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

import { formatCount } from '../../format';
import { strings } from '../../strings';
import { Timeline } from '../../timeline-engine';
import type { ShownTrace, SpanRef, TimeWindow } from '../../timeline-engine';
import { CHART_FILL, ChartFrame } from '../../ui';
import { spansTable } from './spans-table';
import styles from './timeline-panel.module.css';

const STRINGS = strings.timeline;

interface TimelineViewProps {
  /** One trace, or two to compare; a new array means new traces. */
  readonly traces: readonly ShownTrace[];
  readonly onSelect: (ref: SpanRef | undefined) => void;
  readonly onRange: (range: TimeWindow | undefined) => void;
  /** Hands out the engine, for the toolbar and the table; undefined when the view goes. */
  readonly onReady: (timeline: Timeline | undefined) => void;
}

/** Puts the canvas timeline into the page. Drawing and pointing happen outside React. */
export function TimelineView({ traces, onSelect, onRange, onReady }: TimelineViewProps): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const engine = useRef<Timeline>(undefined);
  const events = useRef({ onSelect, onRange });
  useEffect(() => {
    events.current = { onSelect, onRange };
  });
  useEffect(() => {
    if (host.current === null) return;
    const timeline = new Timeline(host.current, {
      onSelect: (ref) => events.current.onSelect(ref),
      onRange: (range) => events.current.onRange(range),
    });
    timeline.canvas.dataset['testid'] = 'timeline-canvas';
    // Keys belong to it while it has the focus, as in any diagram that is operated rather than read.
    timeline.canvas.setAttribute('role', 'application');
    engine.current = timeline;
    onReady(timeline);
    return () => {
      engine.current = undefined;
      onReady(undefined);
      timeline.destroy();
    };
  }, [onReady]);
  useEffect(() => {
    const timeline = engine.current;
    if (!timeline) return;
    timeline.setTraces(traces);
    const title = traces.map((trace) => trace.title).join(', ');
    const table = STRINGS.tables[traces[0]?.model.source ?? 'layers'];
    const name = STRINGS.canvas(formatCount(timeline.spanCount), title, table);
    timeline.canvas.setAttribute('aria-label', name);
  }, [traces]);
  const title = traces.map((trace) => trace.title).join(', ');
  const spans = traces.reduce((sum, { model }) => sum + model.columns.startUs.length, 0);
  return (
    <ChartFrame
      className={traces.length > 1 ? `${styles['canvas']} ${styles['two']}` : styles['canvas']}
      title={STRINGS.spans.title}
      name={STRINGS.spans.name(title, formatCount(spans))}
      table={() => spansTable(traces)}
      lines={[]}
    >
      <div className={CHART_FILL}>
        <div ref={host} className={styles['host']} />
      </div>
    </ChartFrame>
  );
}
