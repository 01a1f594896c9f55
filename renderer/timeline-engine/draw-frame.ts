import { drawRing } from './draw-ring';
import { drawRow } from './draw-row';
import type { RowStyle } from './draw-row';
import { AXIS_PX, GUTTER_PX, HEADER_PX, laneOf, rowBox } from './lane-layout';
import type { LaneBox, LaneLayout } from './lane-layout';
import type { TimelineTheme } from './theme';
import { formatTick } from './time-format';
import { ticks, usToPx } from './time-scale';
import type { TimeScale } from './time-scale';
import { kindOf } from './trace-model';
import type { TraceLane, TraceModel } from './trace-model';

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
  const lane = model && laneOf(model, box);
  if (!lane) return;
  const { theme, scale, devicePixelRatio } = frame;
  if (model.source === 'layers' && lane.color === 'ring') {
    if (model.ring.at.length === 0) drawNothing(context, frame, box, lane.nothing);
    drawRing(context, model.ring, model.columns.ringCapacityBytes, box, scale, theme);
    return;
  }
  const style = styleOf(context, model, lane, theme);
  lane.rows.forEach((row, index) => {
    const area = { scale, devicePixelRatio, ...rowBox(box, lane, index) };
    drawRow(context, row, area, style, model.labelOf);
  });
  if (lane.rows.length === 0) drawNothing(context, frame, box, lane.nothing);
}

function styleOf(
  context: CanvasRenderingContext2D,
  model: TraceModel,
  { color }: TraceLane,
  theme: TimelineTheme,
): RowStyle {
  if (color !== 'mixed' && color !== 'ring')
    return { fill: theme.span[color], label: theme.onSpan[color], font: theme.monoFont };
  const lost = hatch(context, theme.span.lost, theme.onSpan.lost);
  return {
    fill: (span) => {
      const kind = kindOf(model, span);
      return kind === 'lost' ? lost : theme.span[kind];
    },
    label: (span) => theme.onSpan[kindOf(model, span)],
    font: theme.monoFont,
  };
}

const HATCH_PX = 8;

/** A colour with diagonal stripes: what came to nothing is told apart by more than its colour. */
function hatch(context: CanvasRenderingContext2D, color: string, ink: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = HATCH_PX;
  tile.height = HATCH_PX;
  const on = tile.getContext('2d');
  if (!on) return color;
  on.fillStyle = color;
  on.fillRect(0, 0, HATCH_PX, HATCH_PX);
  on.strokeStyle = ink;
  on.globalAlpha = 0.25;
  on.lineWidth = 1.5;
  on.beginPath();
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    on.moveTo(shift, HATCH_PX);
    on.lineTo(shift + HATCH_PX, 0);
  }
  on.stroke();
  return context.createPattern(tile, 'repeat') ?? color;
}

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
    const lane = frame.models[box.trace]?.lanes[box.lane];
    if (lane) drawLaneTitle(context, theme, box, lane);
  }
  for (const { trace, topPx } of layout.headers) {
    context.fillStyle = theme.text;
    context.font = `600 ${theme.font}`;
    const title = `${trace === 0 ? 'A' : 'B'}  ${frame.titles[trace] ?? ''}`;
    context.fillText(title, 10, topPx + HEADER_PX / 2 + 1, widthPx - 20);
  }
}

const TITLE_LEFT_PX = 10;
/** From this height on there is room for a second line. */
const NOTE_FROM_PX = 32;

function drawLaneTitle(
  context: CanvasRenderingContext2D,
  theme: TimelineTheme,
  box: LaneBox,
  { color, title, note }: TraceLane,
): void {
  const mark = { ring: theme.ring, mixed: theme.muted, ...theme.span };
  context.fillStyle = mark[color];
  context.fillRect(0, box.topPx, 3, box.heightPx);
  const middlePx = box.topPx + box.heightPx / 2;
  const hasNote = note !== undefined && box.heightPx >= NOTE_FROM_PX;
  context.fillStyle = theme.text;
  context.font = theme.font;
  const roomPx = GUTTER_PX - TITLE_LEFT_PX - 4;
  context.fillText(cutTo(context, title, roomPx), TITLE_LEFT_PX, hasNote ? middlePx - 7 : middlePx);
  if (!hasNote) return;
  context.fillStyle = theme.muted;
  context.font = theme.smallFont;
  context.fillText(note, TITLE_LEFT_PX, middlePx + 8);
}

/** As much of a text as is not wider. */
function cutTo(context: CanvasRenderingContext2D, text: string, roomPx: number): string {
  if (context.measureText(text).width <= roomPx) return text;
  let end = text.length - 1;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > roomPx) end -= 1;
  return `${text.slice(0, end)}…`;
}
