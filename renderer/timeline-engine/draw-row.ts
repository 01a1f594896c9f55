import { levelFor, readCoverage } from './coverage-lod';
import { spansBetween } from './span-row';
import type { SpanRow } from './span-row';
import { usPerPx, usToPx } from './time-scale';
import type { TimeScale } from './time-scale';

/** Opacity steps of a column that spans cover in part. Even the least is plainly visible. */
const SHADES = [0.38, 0.52, 0.66, 0.8, 1] as const;
/** Above so many spans a device pixel, a row is drawn from its coverage instead of span by span. */
const DENSE_PER_PX = 0.5;
const MIN_LABEL_PX = 30;

export interface RowStyle {
  /** One colour, or one for each span given its index in the trace. */
  readonly fill: string | ((span: number) => string | CanvasPattern);
  readonly label: string | ((span: number) => string);
  readonly font: string;
}

export interface RowArea {
  readonly scale: TimeScale;
  readonly devicePixelRatio: number;
  readonly topPx: number;
  readonly heightPx: number;
}

let coverage = new Float32Array(0);

/** Draws one row; `labelOf` names a span, given its index in the trace. */
export function drawRow(
  context: CanvasRenderingContext2D,
  row: SpanRow,
  area: RowArea,
  style: RowStyle,
  labelOf: (span: number) => string,
): void {
  const { window, widthPx } = area.scale;
  const { first, end } = spansBetween(row, window.startUs, window.endUs);
  if (first >= end) return;
  const columnUs = usPerPx(area.scale) / area.devicePixelRatio;
  // Spans of many kinds have no common coverage; there are few of them.
  const isMixed = typeof style.fill !== 'string';
  if (typeof style.fill === 'string') context.fillStyle = style.fill;
  const dense = !isMixed && end - first > widthPx * area.devicePixelRatio * DENSE_PER_PX;
  const level = dense ? levelFor(row.lod, columnUs) : -1;
  if (level >= 0) drawCoverage(context, row, area, level, columnUs);
  else drawSpans(context, row, area, style, first, end);
  if (!dense && area.heightPx >= 12) drawLabels(context, row, area, style, labelOf, first, end);
}

function drawCoverage(
  context: CanvasRenderingContext2D,
  row: SpanRow,
  { scale, devicePixelRatio, topPx, heightPx }: RowArea,
  level: number,
  columnUs: number,
): void {
  const columns = Math.ceil(scale.widthPx * devicePixelRatio);
  if (coverage.length !== columns) coverage = new Float32Array(columns);
  readCoverage(row.lod, level, scale.window.startUs, columnUs, coverage);
  const shadeOf = (share: number): number =>
    share <= 0 ? -1 : Math.min(SHADES.length - 1, Math.floor(share * SHADES.length));
  for (let from = 0; from < columns;) {
    const shade = shadeOf(coverage[from]!);
    let to = from + 1;
    while (to < columns && shadeOf(coverage[to]!) === shade) to += 1;
    if (shade >= 0) {
      context.globalAlpha = SHADES[shade]!;
      context.fillRect(
        scale.leftPx + from / devicePixelRatio,
        topPx,
        (to - from) / devicePixelRatio,
        heightPx,
      );
    }
    from = to;
  }
  context.globalAlpha = 1;
}

/*
 * Rectangles are filled one by one and lie on whole device pixels: without a GPU that is a plain fill, while one path of
 * many rectangles is anti-aliased (100,000 spans, software rendering, 2 cores: 60 against 39 frames a second).
 */
function drawSpans(
  context: CanvasRenderingContext2D,
  row: SpanRow,
  { scale, devicePixelRatio, topPx, heightPx }: RowArea,
  { fill }: RowStyle,
  first: number,
  end: number,
): void {
  const pixel = 1 / devicePixelRatio;
  const snap = (px: number): number => Math.round(px * devicePixelRatio) / devicePixelRatio;
  const rightPx = scale.leftPx + scale.widthPx;
  let drawnToPx = -Infinity;
  for (let i = first; i < end; i += 1) {
    const fromPx = snap(Math.max(scale.leftPx, usToPx(scale, row.start[i]!)));
    const toPx = snap(Math.min(rightPx, usToPx(scale, row.end[i]!)));
    // Many spans in one pixel: the first stands for all.
    if (toPx <= drawnToPx) continue;
    const widthPx = Math.max(pixel, toPx - fromPx);
    if (typeof fill !== 'string') context.fillStyle = fill(row.span[i]!);
    // Neighbours stay apart by a hairline where there is room for one.
    context.fillRect(fromPx, topPx, widthPx > 4 ? widthPx - 1 : widthPx, heightPx);
    drawnToPx = fromPx + pixel;
  }
}

function drawLabels(
  context: CanvasRenderingContext2D,
  row: SpanRow,
  { scale, topPx, heightPx }: RowArea,
  style: RowStyle,
  labelOf: (span: number) => string,
  first: number,
  end: number,
): void {
  if (typeof style.label === 'string') context.fillStyle = style.label;
  context.font = style.font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const charPx = context.measureText('n').width;
  for (let i = first; i < end; i += 1) {
    const fromPx = Math.max(scale.leftPx, usToPx(scale, row.start[i]!));
    const roomPx = Math.min(scale.leftPx + scale.widthPx, usToPx(scale, row.end[i]!)) - fromPx - 8;
    if (roomPx < MIN_LABEL_PX - 8) continue;
    const text = fitText(labelOf(row.span[i]!), Math.floor(roomPx / charPx));
    if (!text) continue;
    if (typeof style.label !== 'string') context.fillStyle = style.label(row.span[i]!);
    context.fillText(text, fromPx + 4, topPx + heightPx / 2 + 0.5);
  }
}

/** Fewest characters of a name worth drawing. */
const MIN_CHARS = 5;

/**
 * As much of a layer's name as fits: whole; without its leading path (`…/conv1`, `conv1`), which neighbours share; or
 * its last part cut short. Empty when that says nothing.
 */
export function fitText(name: string, room: number): string {
  // A path that ends in its separator would have an empty last part.
  const text = name.replace(/[/.]+$/, '');
  if (text.length <= room) return text;
  const separator = text.includes('/') ? '/' : '.';
  for (let cut = text.indexOf(separator, 1); cut >= 0; cut = text.indexOf(separator, cut + 1)) {
    if (text.length - cut + 1 <= room) return `…${text.slice(cut)}`;
  }
  const last = text.slice(text.lastIndexOf(separator) + 1);
  if (last.length <= room) return last;
  return room >= MIN_CHARS ? `${last.slice(0, room - 1)}…` : '';
}
