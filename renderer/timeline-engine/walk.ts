import { endUs } from './span-group';
import { lowerBound } from './span-row';
import type { TimeWindow } from './time-scale';
import type { TraceModel } from './trace-model';

/** The next or previous span of the same kind by start time, across the lane's rows; undefined at the ends. */
export function neighbourSpan(model: TraceModel, span: number, step: 1 | -1): number | undefined {
  const { kind } = model.columns;
  for (let i = span + step; i >= 0 && i < kind.length; i += step) if (kind[i] === kind[span]) return i;
  return undefined;
}

/** The wait that begins next after a span or at a time, in any row; the first of all when none follows. */
export function waitAfter(
  model: TraceModel,
  from: { readonly span: number } | { readonly atUs: number },
): number | undefined {
  const previous = 'span' in from ? from.span : lowerBound(model.columns.startUs, from.atUs) - 1;
  const waits = model.waits.rows.flatMap((row) => [...row.span]).sort((a, b) => a - b);
  // Spans are sorted by start, so a greater index is a later span.
  return waits.find((wait) => wait > previous) ?? waits[0];
}

export function extentOfSpan({ columns }: TraceModel, span: number): TimeWindow {
  return { startUs: columns.startUs[span]!, endUs: endUs(columns, span) };
}

/** The first computation of a layer or user, else any span of it. */
export function mainSpanOf(model: TraceModel, group: number): number | undefined {
  const { columns, groupOf } = model;
  const compute = model.kindNames.indexOf('compute');
  let any: number | undefined;
  for (let span = 0; span < groupOf.length; span += 1) {
    if (groupOf[span] !== group) continue;
    if (columns.kind[span] === compute) return span;
    any ??= span;
  }
  return any;
}

/** From the first to the last moment of a layer or user; undefined when it has no spans. */
export function extentOfGroup({ columns, groupOf }: TraceModel, group: number): TimeWindow | undefined {
  let startUs = Infinity;
  let stopUs = -Infinity;
  for (let span = 0; span < groupOf.length; span += 1) {
    if (groupOf[span] !== group) continue;
    startUs = Math.min(startUs, columns.startUs[span]!);
    stopUs = Math.max(stopUs, endUs(columns, span));
  }
  return stopUs < startUs ? undefined : { startUs, endUs: stopUs };
}
