import { laneOf } from './lane-layout';
import type { LaneBox, LaneLayout } from './lane-layout';
import { lowerBound, upperBound } from './span-row';
import type { SpanRow } from './span-row';
import { stepAt } from './step-lod';
import { pxToUs, usPerPx } from './time-scale';
import type { TimeScale } from './time-scale';
import type { TraceModel } from './trace-model';

/** One span of one of the shown traces. */
export interface SpanRef {
  readonly trace: number;
  /** Index in that trace's columns. */
  readonly span: number;
}

export type Hit =
  | { readonly kind: 'span'; readonly ref: SpanRef; readonly atUs: number }
  | { readonly kind: 'ring'; readonly trace: number; readonly bytes: number; readonly atUs: number };

/** How far from a span the pointer may be, CSS pixels. */
const REACH_PX = 3;
/** Spans looked at when many share the pointer's pixel. */
const MAX_CANDIDATES = 256;

export function boxAt(layout: LaneLayout, yPx: number): LaneBox | undefined {
  return layout.boxes.find((box) => yPx >= box.topPx && yPx < box.topPx + box.heightPx);
}

/** What is under the pointer, or near enough. Where spans are narrower than a pixel, the longest of them. */
export function hitTest(
  models: readonly TraceModel[],
  layout: LaneLayout,
  scale: TimeScale,
  xPx: number,
  yPx: number,
): Hit | undefined {
  const box = boxAt(layout, yPx);
  const model = box && models[box.trace];
  if (!box || !model || xPx < scale.leftPx) return undefined;
  const atUs = pxToUs(scale, xPx);
  const lane = laneOf(model, box);
  if (!lane) return undefined;
  if (model.source === 'layers' && lane.color === 'ring')
    return { kind: 'ring', trace: box.trace, bytes: stepAt(model.ring, atUs), atUs };
  const row = lane.rows[Math.floor(((yPx - box.topPx) * lane.rows.length) / box.heightPx)];
  const index = row && spanNear(row, atUs, REACH_PX * usPerPx(scale));
  if (!row || index === undefined) return undefined;
  return { kind: 'span', ref: { trace: box.trace, span: row.span[index]! }, atUs };
}

/** The row's span at a time; else the longest within reach. @returns its index in the row. */
export function spanNear(row: SpanRow, atUs: number, reachUs: number): number | undefined {
  const under = upperBound(row.start, atUs) - 1;
  const covers = (index: number): boolean => row.start[index]! <= atUs && atUs <= row.end[index]!;
  if (under >= 0 && covers(under) && row.end[under]! - row.start[under]! > reachUs) return under;
  const first = Math.max(lowerBound(row.end, atUs - reachUs), under - MAX_CANDIDATES / 2);
  let best: number | undefined;
  let bestUs = -1;
  for (
    let i = first;
    i < row.start.length && row.start[i]! <= atUs + reachUs && i < first + MAX_CANDIDATES;
    i += 1
  ) {
    const lengthUs = row.end[i]! - row.start[i]!;
    if (lengthUs > bestUs) [best, bestUs] = [i, lengthUs];
  }
  return best;
}

/**
 * The span edge nearest to a time, for selections that should begin and end where something did.
 * @returns `atUs` itself when no edge is within `reachUs`.
 */
export function snapToEdge(rows: readonly SpanRow[], atUs: number, reachUs: number): number {
  let best = atUs;
  let bestUs = reachUs;
  for (const row of rows) {
    for (const edges of [row.start, row.end]) {
      const next = lowerBound(edges, atUs);
      for (const edge of [edges[next - 1], edges[next]]) {
        if (edge === undefined || Math.abs(edge - atUs) >= bestUs) continue;
        best = edge;
        bestUs = Math.abs(edge - atUs);
      }
    }
  }
  return best;
}
