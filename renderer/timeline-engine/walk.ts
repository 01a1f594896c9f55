import { SPAN_KINDS } from '../../core/contract';
import { lowerBound } from './span-row';
import type { TimeWindow } from './time-scale';
import { endUs } from './trace-model';
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
  const waits = model.lanes.wait.rows.flatMap((row) => [...row.span]).sort((a, b) => a - b);
  // Spans are sorted by start, so a greater index is a later span.
  return waits.find((wait) => wait > previous) ?? waits[0];
}

export function extentOfSpan({ columns }: TraceModel, span: number): TimeWindow {
  return { startUs: columns.startUs[span]!, endUs: endUs(columns, span) };
}

/** The first computation of a layer, else any span of it. */
export function mainSpanOf({ columns }: TraceModel, layer: number): number | undefined {
  const compute = SPAN_KINDS.indexOf('compute');
  const isMain = (at: number, span: number): boolean => at === layer && columns.kind[span] === compute;
  const main = columns.layer.findIndex(isMain);
  const any = main < 0 ? columns.layer.indexOf(layer) : main;
  return any < 0 ? undefined : any;
}

/** From the first to the last moment of a layer; undefined when it has no spans. */
export function extentOfLayer({ columns }: TraceModel, layer: number): TimeWindow | undefined {
  let startUs = Infinity;
  let stopUs = -Infinity;
  for (let i = 0; i < columns.layer.length; i += 1) {
    if (columns.layer[i] !== layer) continue;
    startUs = Math.min(startUs, columns.startUs[i]!);
    stopUs = Math.max(stopUs, endUs(columns, i));
  }
  return stopUs < startUs ? undefined : { startUs, endUs: stopUs };
}
