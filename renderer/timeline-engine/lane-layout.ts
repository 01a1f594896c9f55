import type { SpanKind } from '../../core/contract';
import type { SpanLane, TraceModel } from './trace-model';

export type LaneKind = SpanKind | 'ring';

/** Where a lane is drawn, CSS pixels from the canvas's top. */
export interface LaneBox {
  /** Index of the trace (0, or 1 for the one laid beside it). */
  readonly trace: number;
  readonly kind: LaneKind;
  readonly topPx: number;
  readonly heightPx: number;
}

export interface LaneLayout {
  readonly boxes: readonly LaneBox[];
  /** Titles of traces, only when there are two. */
  readonly headers: readonly { readonly trace: number; readonly topPx: number }[];
}

export const AXIS_PX = 24;
export const GUTTER_PX = 84;
/** Room right of the lanes, so that the last label is not cut. */
export const RIGHT_PX = 8;
export const HEADER_PX = 20;
const GAP_PX = 6;

/** Share of the height each lane gets: cause above effect, the ring between disk and compute. */
const LANES: readonly { readonly kind: LaneKind; readonly weight: number }[] = [
  { kind: 'read', weight: 2 },
  { kind: 'ring', weight: 2 },
  { kind: 'compute', weight: 1.5 },
  { kind: 'wait', weight: 1 },
];

/** Fills the canvas's height. Lanes a trace has nothing for (a resident run reads nothing) still show, empty. */
export function layoutLanes(traces: number, heightPx: number): LaneLayout {
  const titled = traces > 1;
  const fixedPx = AXIS_PX + traces * ((titled ? HEADER_PX : 0) + LANES.length * GAP_PX);
  const weights = traces * LANES.reduce((sum, lane) => sum + lane.weight, 0);
  const unitPx = Math.max(8, (heightPx - fixedPx) / Math.max(1, weights));
  const boxes: LaneBox[] = [];
  const headers: { trace: number; topPx: number }[] = [];
  let topPx = AXIS_PX;
  for (let trace = 0; trace < traces; trace += 1) {
    if (titled) {
      headers.push({ trace, topPx });
      topPx += HEADER_PX;
    }
    for (const { kind, weight } of LANES) {
      const laneHeightPx = Math.floor(weight * unitPx);
      boxes.push({ trace, kind, topPx: topPx + GAP_PX / 2, heightPx: laneHeightPx });
      topPx += laneHeightPx + GAP_PX;
    }
  }
  return { boxes, headers };
}

/** The rows of a span lane share its height. */
export function rowBox(box: LaneBox, lane: SpanLane, row: number): { topPx: number; heightPx: number } {
  const rows = Math.max(1, lane.rows.length);
  const topPx = box.topPx + Math.round((row * box.heightPx) / rows);
  const nextPx = box.topPx + Math.round(((row + 1) * box.heightPx) / rows);
  const gapPx = rows > 1 && nextPx - topPx > 4 ? 1 : 0;
  return { topPx, heightPx: Math.max(1, nextPx - topPx - gapPx) };
}

export function boxOf(layout: LaneLayout, trace: number, kind: LaneKind): LaneBox | undefined {
  return layout.boxes.find((box) => box.trace === trace && box.kind === kind);
}

export function laneOf(model: TraceModel, box: LaneBox): SpanLane | undefined {
  return box.kind === 'ring' ? undefined : model.lanes[box.kind];
}
