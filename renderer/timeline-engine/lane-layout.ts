import type { TraceLane, TraceModel } from './trace-model';

/** Where a lane is drawn, CSS pixels from the canvas's top. */
export interface LaneBox {
  /** Index of the trace (0, or 1 for the one laid beside it). */
  readonly trace: number;
  /** Index of the lane in its trace. */
  readonly lane: number;
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

const MIN_UNIT_PX = 8;

/** Fills the canvas's height. Lanes a trace has nothing for (a resident run reads nothing) still show, empty. */
export function layoutLanes(models: readonly Pick<TraceModel, 'lanes'>[], heightPx: number): LaneLayout {
  const titled = models.length > 1;
  const lanes = models.flatMap((model) => model.lanes);
  const fixedPx = AXIS_PX + (titled ? models.length * HEADER_PX : 0) + lanes.length * GAP_PX;
  const weights = lanes.reduce((sum, { weight }) => sum + weight, 0);
  const unitPx = Math.max(MIN_UNIT_PX, (heightPx - fixedPx) / Math.max(1, weights));
  const boxes: LaneBox[] = [];
  const headers: { trace: number; topPx: number }[] = [];
  let topPx = AXIS_PX;
  models.forEach((model, trace) => {
    if (titled) {
      headers.push({ trace, topPx });
      topPx += HEADER_PX;
    }
    model.lanes.forEach(({ weight, maxPx = Infinity }, lane) => {
      const laneHeightPx = Math.floor(Math.min(maxPx, weight * unitPx));
      boxes.push({ trace, lane, topPx: topPx + GAP_PX / 2, heightPx: laneHeightPx });
      topPx += laneHeightPx + GAP_PX;
    });
  });
  return { boxes, headers };
}

/** The rows of a span lane share its height. */
export function rowBox(
  box: LaneBox,
  lane: Pick<TraceLane, 'rows'>,
  row: number,
): { topPx: number; heightPx: number } {
  const rows = Math.max(1, lane.rows.length);
  const topPx = box.topPx + Math.round((row * box.heightPx) / rows);
  const nextPx = box.topPx + Math.round(((row + 1) * box.heightPx) / rows);
  const gapPx = rows > 1 && nextPx - topPx > 4 ? 1 : 0;
  return { topPx, heightPx: Math.max(1, nextPx - topPx - gapPx) };
}

/** Box of a trace's lane, by the lane's index. */
export function boxOf(layout: LaneLayout, trace: number, lane: number): LaneBox | undefined {
  return layout.boxes.find((box) => box.trace === trace && box.lane === lane);
}

export function laneOf(model: TraceModel, box: LaneBox): TraceLane | undefined {
  return model.lanes[box.lane];
}
