import type { ReactNode } from 'react';

import { strings } from '../../strings';
import { causeOfWait, describeSpan, kindOf } from '../../timeline-engine';
import type { SpanRef, TraceModel } from '../../timeline-engine';
import { Button, CloseIcon } from '../../ui';
import styles from './span-inspector.module.css';
import { Swatch } from './swatch';

const STRINGS = strings.timeline;

const WORDS = STRINGS.inspector;

interface SpanInspectorProps {
  readonly model: TraceModel;
  readonly selected: SpanRef;
  readonly onSelect: (ref: SpanRef | undefined) => void;
  readonly onZoom: () => void;
  readonly onStep: (direction: 1 | -1) => void;
}

/** The chosen span's figures, its neighbours, and for a wait the read that ended it. */
export function SpanInspector({ model, selected, onSelect, onZoom, onStep }: SpanInspectorProps): ReactNode {
  const { title, lines } = describeSpan(model, selected.span);
  const kind = kindOf(model, selected.span);
  const cause = model.source === 'layers' && kind === 'wait' ? causeOfWait(model, selected.span) : undefined;
  return (
    <aside className={styles['inspector']} aria-label={WORDS.title}>
      <header>
        <Swatch kind={kind} />
        <h2 title={title}>{title}</h2>
        <button
          type="button"
          className={styles['close']}
          aria-label={WORDS.close}
          onClick={() => onSelect(undefined)}
        >
          <CloseIcon />
        </button>
      </header>
      <dl aria-live="polite">
        {lines.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className={styles['actions']}>
        <Button onClick={() => onStep(-1)}>{WORDS.previous}</Button>
        <Button onClick={() => onStep(1)}>{WORDS.next}</Button>
        <Button onClick={onZoom}>{WORDS.zoom}</Button>
      </div>
      {cause !== undefined && (
        <div className={styles['actions']}>
          <Button onClick={() => onSelect({ trace: selected.trace, span: cause })}>{WORDS.cause}</Button>
        </div>
      )}
    </aside>
  );
}
