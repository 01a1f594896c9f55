import { drawRing } from './draw-ring';
import { drawRow } from './draw-row';
import { AXIS_PX, GUTTER_PX, HEADER_PX, laneOf, rowBox } from './lane-layout';
import type { LaneBox, LaneKind, LaneLayout } from './lane-layout';
import type { TimelineTheme } from './theme';
import { formatTick } from './time-format';
import { ticks, usToPx } from './time-scale';
import type { TimeScale } from './time-scale';
import { layerNameOf } from './trace-model';
import type { TraceModel } from './trace-model';

/** Everything one picture depends on. */
export interface Frame {
  readonly models: readonly TraceModel[];
  readonly titles: readonly string[];
  readonly layout: LaneLayout;
  readonly scale: TimeScale;
  readonly theme: TimelineTheme;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly devicePixelRatio: number;
}

const LANE_TITLES: Readonly<Record<LaneKind, string>> = {
  read: 'Disk reads',
  ring: 'Ring',
  compute: 'Compute',
  wait: 'Waits',
};

const MIN_TICK_GAP_PX = 92;

/** Draws axis, lane backgrounds, spans and ring. The context is scaled to CSS pixels. */
export function drawFrame(context: CanvasRenderingContext2D, frame: Frame): void {
  const { theme, scale, layout } = frame;
  context.fillStyle = theme.surface;
  context.fillRect(0, 0, frame.widthPx, frame.heightPx);
  context.fillStyle = theme.lane;
  for (const box of layout.boxes) context.fillRect(scale.leftPx, box.topPx, scale.widthPx, box.heightPx);
  drawGrid(context, frame);
  context.save();
  context.beginPath();
  context.rect(scale.leftPx, 0, scale.widthPx, frame.heightPx);
  context.clip();
  for (const box of layout.boxes) drawLane(context, frame, box);
  context.restore();
  drawGutter(context, frame);
}

function drawGrid(context: CanvasRenderingContext2D, { theme, scale, heightPx }: Frame): void {
  const { stepUs, atUs } = ticks(scale, MIN_TICK_GAP_PX);
  context.strokeStyle = theme.grid;
  context.lineWidth = 1;
  context.beginPath();
  for (const us of atUs) {
    const xPx = Math.round(usToPx(scale, us)) + 0.5;
    context.moveTo(xPx, AXIS_PX - 5);
    context.lineTo(xPx, heightPx);
  }
  context.stroke();
  context.fillStyle = theme.muted;
  context.font = theme.smallFont;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const us of atUs) {
    const label = formatTick(us, stepUs, scale.window.endUs);
    const xPx = usToPx(scale, us) + 4;
    if (xPx + context.measureText(label).width <= scale.leftPx + scale.widthPx)
      context.fillText(label, xPx, AXIS_PX / 2);
  }
}

function drawLane(context: CanvasRenderingContext2D, frame: Frame, box: LaneBox): void {
  const model = frame.models[box.trace];
  if (!model) return;
  const { theme, scale, devicePixelRatio } = frame;
  const lane = laneOf(model, box);
  if (!lane) {
    if (model.ring.at.length === 0) drawNothing(context, frame, box, NOTHING.ring);
    drawRing(context, model.ring, model.columns.ringCapacityBytes, box, scale, theme);
    return;
  }
  const style = { fill: theme.span[lane.kind], label: theme.onSpan[lane.kind], font: theme.monoFont };
  lane.rows.forEach((row, index) => {
    const area = { scale, devicePixelRatio, ...rowBox(box, lane, index) };
    drawRow(context, row, area, style, (span) => layerNameOf(model.columns, span));
  });
  if (lane.spans === 0) drawNothing(context, frame, box, NOTHING[lane.kind]);
}

const NOTHING = {
  ring: 'this run had no ring buffer',
  read: 'nothing was read: all layers were resident',
  wait: 'compute never waited for the disk',
  compute: 'no layer was computed',
} as const;

function drawNothing(
  context: CanvasRenderingContext2D,
  { theme, scale }: Frame,
  box: LaneBox,
  text: string,
): void {
  context.fillStyle = theme.muted;
  context.font = theme.smallFont;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, scale.leftPx + 8, box.topPx + box.heightPx / 2);
}

function drawGutter(context: CanvasRenderingContext2D, frame: Frame): void {
  const { theme, layout, widthPx } = frame;
  context.fillStyle = theme.surface;
  context.fillRect(0, AXIS_PX, GUTTER_PX, frame.heightPx - AXIS_PX);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  for (const box of layout.boxes) {
    context.fillStyle = box.kind === 'ring' ? theme.ring : theme.span[box.kind];
    context.fillRect(0, box.topPx, 3, box.heightPx);
    context.fillStyle = theme.text;
    context.font = theme.font;
    context.fillText(LANE_TITLES[box.kind], 10, box.topPx + box.heightPx / 2);
  }
  for (const { trace, topPx } of layout.headers) {
    context.fillStyle = theme.text;
    context.font = `600 ${theme.font}`;
    const title = `${trace === 0 ? 'A' : 'B'}  ${frame.titles[trace] ?? ''}`;
    context.fillText(title, 10, topPx + HEADER_PX / 2 + 1, widthPx - 20);
  }
}
