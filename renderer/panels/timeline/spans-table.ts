import { strings } from '../../strings';
import { kindOf } from '../../timeline-engine';
import type { ShownTrace } from '../../timeline-engine';
import type { ChartTable } from '../../ui';

const WORDS = strings.timeline.spans;
const MS = 1000;

/** Every span as figures, in the order of its start; of two traces the first comes first. */
export function spansTable(traces: readonly ShownTrace[]): ChartTable {
  const isMany = traces.length > 1;
  const rows = traces.flatMap(({ title, model }) => {
    const { startUs, durationUs, bytes } = model.columns;
    return Array.from(startUs, (start, span) => [
      ...(isMany ? [title] : []),
      strings.trace.kinds[kindOf(model, span)],
      model.labelOf(span),
      start / MS,
      durationUs[span]! / MS,
      bytes[span]!,
    ]);
  });
  const { kind, what, start, duration, bytes } = WORDS.columns;
  return { columns: [...(isMany ? [WORDS.columns.trace] : []), kind, what, start, duration, bytes], rows };
}
