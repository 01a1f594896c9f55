import type { Frame } from './draw-frame';
import type { SpanRef } from './hit-test';
import { AXIS_PX, boxOf, rowBox } from './lane-layout';
import { causeOfWait } from './stall-cause';
import { formatDuration } from './time-format';
import { usToPx } from './time-scale';
import type { TimeWindow } from './time-scale';
import { endUs } from './span-group';
import { kindOf } from './trace-model';
import type { LayerTrace } from './trace-model';

/** What is drawn over the picture and changes with every pointer move. */
export interface Overlay {
  readonly hovered: SpanRef | undefined;
  readonly selected: SpanRef | undefined;
  readonly range: TimeWindow | undefined;
  /** Pointer, CSS pixels; draws a time cursor. */
  readonly cursorPx: number | undefined;
}

interface SpanRect {
  readonly xPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

export function drawOverlay(context: CanvasRenderingContext2D, frame: Frame, overlay: Overlay): void {
  context.clearRect(0, 0, frame.widthPx, frame.heightPx);
  context.save();
  context.beginPath();
  context.rect(frame.scale.leftPx, 0, frame.scale.widthPx, frame.heightPx);
  context.clip();
  if (overlay.range) drawRange(context, frame, overlay.range);
  if (overlay.cursorPx !== undefined) drawCursor(context, frame, overlay.cursorPx);
  const { hovered, selected } = overlay;
  if (selected) outline(context, frame, selected, 2, frame.theme.text);
  if (hovered && !same(hovered, selected)) outline(context, frame, hovered, 1, frame.theme.text);
  const pointing = [hovered, selected].find((ref) => stalledTrace(frame, ref) !== undefined);
  const stalled = stalledTrace(frame, pointing);
  if (pointing && stalled) drawCause(context, frame, stalled, pointing);
  context.restore();
}

function same(a: SpanRef, b: SpanRef | undefined): boolean {
  return a.trace === b?.trace && a.span === b.span;
}

/** The trace of a wait that a read may have caused; undefined for any other span. */
function stalledTrace(frame: Frame, ref: SpanRef | undefined): LayerTrace | undefined {
  const model = ref && frame.models[ref.trace];
  return model?.source === 'layers' && kindOf(model, ref!.span) === 'wait' ? model : undefined;
}

/** Where a span is on the canvas, at least two pixels wide. */
export function spanRect(frame: Frame, { trace, span }: SpanRef): SpanRect | undefined {
  const model = frame.models[trace];
  if (!model) return undefined;
  const box = boxOf(frame.layout, trace, model.laneOf[span]!);
  const lane = box && model.lanes[box.lane];
  if (!lane) return undefined;
  const xPx = usToPx(frame.scale, model.columns.startUs[span]!);
  const widthPx = Math.max(2, usToPx(frame.scale, endUs(model.columns, span)) - xPx);
  return { xPx, widthPx, ...rowBox(box, lane, model.rowOf[span]!) };
}

function outline(
  context: CanvasRenderingContext2D,
  frame: Frame,
  ref: SpanRef,
  lineWidth: number,
  color: string,
): void {
  const rect = spanRect(frame, ref);
  if (!rect) return;
  context.strokeStyle = color;
  context.lineWidth = lineWidth;
  context.strokeRect(rect.xPx - 0.5, rect.topPx - 0.5, rect.widthPx + 1, rect.heightPx + 1);
}

/** From the end of the read to the end of the wait it ended. */
function drawCause(context: CanvasRenderingContext2D, frame: Frame, model: LayerTrace, wait: SpanRef): void {
  const read = causeOfWait(model, wait.span);
  const to = spanRect(frame, wait);
  const from = read === undefined ? undefined : spanRect(frame, { trace: wait.trace, span: read });
  if (!from || !to || read === undefined) return;
  outline(context, frame, { trace: wait.trace, span: read }, 2, frame.theme.accent);
  const startX = from.xPx + from.widthPx;
  const startY = from.topPx + from.heightPx;
  const endX = to.xPx + to.widthPx;
  const endY = to.topPx - 1;
  const bend = (endY - startY) / 2;
  context.strokeStyle = frame.theme.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(startX, startY);
  context.bezierCurveTo(startX, startY + bend, endX, endY - bend, endX, endY - 6);
  context.stroke();
  context.fillStyle = frame.theme.accent;
  context.beginPath();
  context.moveTo(endX, endY);
  context.lineTo(endX - 4, endY - 7);
  context.lineTo(endX + 4, endY - 7);
  context.fill();
}

function drawRange(context: CanvasRenderingContext2D, frame: Frame, range: TimeWindow): void {
  const { theme, scale, heightPx } = frame;
  const fromPx = usToPx(scale, range.startUs);
  const toPx = usToPx(scale, range.endUs);
  // What lies outside steps back; what is summed keeps its colours.
  context.fillStyle = theme.surface;
  context.globalAlpha = 0.6;
  context.fillRect(scale.leftPx, AXIS_PX, fromPx - scale.leftPx, heightPx - AXIS_PX);
  context.fillRect(toPx, AXIS_PX, scale.leftPx + scale.widthPx - toPx, heightPx - AXIS_PX);
  context.globalAlpha = 1;
  context.fillStyle = theme.accent;
  context.fillRect(Math.round(fromPx), 0, 1, heightPx);
  context.fillRect(Math.round(toPx), 0, 1, heightPx);
  const text = formatDuration(range.endUs - range.startUs);
  context.font = theme.smallFont;
  const textPx = context.measureText(text).width + 10;
  const left = Math.max(scale.leftPx, fromPx);
  const right = Math.min(scale.leftPx + scale.widthPx, toPx);
  const wanted = (left + right) / 2 - textPx / 2;
  const xPx = Math.min(Math.max(wanted, scale.leftPx), scale.leftPx + scale.widthPx - textPx);
  context.fillRect(xPx, 3, textPx, AXIS_PX - 7);
  context.fillStyle = theme.surface;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, xPx + textPx / 2, AXIS_PX / 2);
}

function drawCursor(context: CanvasRenderingContext2D, { theme, heightPx }: Frame, xPx: number): void {
  context.fillStyle = theme.muted;
  context.globalAlpha = 0.6;
  context.fillRect(Math.round(xPx), AXIS_PX, 1, heightPx - AXIS_PX);
  context.globalAlpha = 1;
}
