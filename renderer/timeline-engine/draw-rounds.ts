import type { RoundRecord } from '../../core/contract';
import { endUs, firstAfter, startUs } from './rounds';
import { readTheme } from './theme';
import type { TimelineTheme } from './theme';
import { formatTick } from './time-format';
import { ticks, usToPx } from './time-scale';
import type { TimeScale } from './time-scale';

/** Colours of rounds, the same as everywhere: drafts, what waits for the full cache, what verifies. */
export interface RoundTheme extends TimelineTheme {
  readonly draft: string;
  readonly swap: string;
  readonly verify: string;
  readonly rejected: string;
}

export function readRoundTheme(element: Element): RoundTheme {
  const style = getComputedStyle(element);
  const token = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback;
  const theme = readTheme(element);
  return {
    ...theme,
    draft: token('--draft', '#99863a'),
    swap: theme.span.wait,
    verify: token('--verify', '#23418f'),
    rejected: token('--rejected', '#613425'),
  };
}

export interface RoundFrame {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly devicePixelRatio: number;
  readonly scale: TimeScale;
  readonly theme: RoundTheme;
  readonly rounds: readonly RoundRecord[];
  /** Of each round, 0 to 1. */
  readonly acceptance: Float32Array;
  /** Top of the lane of tokens. */
  readonly mostTokens: number;
  readonly hovered: number | undefined;
  readonly selected: number | undefined;
  readonly lanes: { readonly time: string; readonly tokens: string };
}

export const ROUND_GUTTER_PX = 56;
export const ROUND_RIGHT_PX = 40;
const AXIS_PX = 18;
const TIME_PX = 20;
const GAP_PX = 8;
const BOTTOM_PX = 5;
const TOKENS_TOP_PX = AXIS_PX + TIME_PX + GAP_PX;

/** Draws the axis, blocks of draft, swap and verification, and below them drafted and accepted tokens. */
export function drawRounds(context: CanvasRenderingContext2D, frame: RoundFrame): void {
  const { theme, widthPx, heightPx } = frame;
  context.fillStyle = theme.surface;
  context.fillRect(0, 0, widthPx, heightPx);
  drawAxis(context, frame);
  drawLabels(context, frame);
  context.save();
  context.beginPath();
  context.rect(frame.scale.leftPx, 0, frame.scale.widthPx, heightPx);
  context.clip();
  drawMark(context, frame, frame.selected, 0.22);
  drawMark(context, frame, frame.hovered, 0.12);
  drawBlocks(context, frame);
  drawAcceptance(context, frame);
  context.restore();
}

function tokensHeight({ heightPx }: RoundFrame): number {
  return Math.max(8, heightPx - TOKENS_TOP_PX - BOTTOM_PX);
}

function drawAxis(context: CanvasRenderingContext2D, frame: RoundFrame): void {
  const { scale, theme, heightPx } = frame;
  const { stepUs, atUs } = ticks(scale, 84);
  const rightPx = scale.leftPx + scale.widthPx;
  context.font = theme.smallFont;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const us of atUs) {
    const px = Math.round(usToPx(scale, us));
    context.fillStyle = theme.grid;
    context.fillRect(px, AXIS_PX - 4, 1, heightPx - AXIS_PX + 4);
    const text = formatTick(us, stepUs, scale.window.endUs);
    if (px + 4 + context.measureText(text).width > rightPx) continue;
    context.fillStyle = theme.muted;
    context.fillText(text, px + 4, AXIS_PX / 2);
  }
}

function drawLabels(context: CanvasRenderingContext2D, frame: RoundFrame): void {
  const { scale, theme, lanes, mostTokens } = frame;
  const bottomPx = TOKENS_TOP_PX + tokensHeight(frame);
  context.fillStyle = theme.grid;
  context.fillRect(scale.leftPx, bottomPx, scale.widthPx, 1);
  context.fillStyle = theme.muted;
  context.font = theme.smallFont;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const leftPx = scale.leftPx - 8;
  context.fillText(lanes.time, leftPx, AXIS_PX + TIME_PX / 2);
  context.fillText(String(mostTokens), leftPx, TOKENS_TOP_PX + 5);
  context.fillText(lanes.tokens, leftPx, bottomPx - 5);
  context.textAlign = 'left';
  const rightPx = scale.leftPx + scale.widthPx + 5;
  context.fillText('100%', rightPx, TOKENS_TOP_PX + 5);
  context.fillText('0%', rightPx, bottomPx - 5);
}

function drawMark(
  context: CanvasRenderingContext2D,
  { rounds, scale, theme, heightPx }: RoundFrame,
  index: number | undefined,
  alpha: number,
): void {
  const round = index === undefined ? undefined : rounds[index];
  if (round === undefined) return;
  const fromPx = usToPx(scale, startUs(round));
  context.globalAlpha = alpha;
  context.fillStyle = theme.accent;
  context.fillRect(fromPx - 1, AXIS_PX - 3, Math.max(3, usToPx(scale, endUs(round)) - fromPx + 2), heightPx);
  context.globalAlpha = 1;
}

function drawBlocks(context: CanvasRenderingContext2D, frame: RoundFrame): void {
  const { rounds, scale, devicePixelRatio, mostTokens, theme } = frame;
  const snap = (px: number): number => Math.round(px * devicePixelRatio) / devicePixelRatio;
  const heightPx = tokensHeight(frame);
  const bottomPx = TOKENS_TOP_PX + heightPx;
  let drawnToPx = -Infinity;
  for (let index = firstAfter(rounds, scale.window.startUs); index < rounds.length; index += 1) {
    const round = rounds[index]!;
    const beginUs = startUs(round);
    if (beginUs > scale.window.endUs) break;
    const draftUs = beginUs + round.draftMs * 1000;
    const swapUs = draftUs + round.swapMs * 1000;
    const fromPx = snap(usToPx(scale, beginUs));
    const toPx = snap(usToPx(scale, endUs(round)));
    // Many rounds in one pixel: the first stands for all.
    if (toPx <= drawnToPx) continue;
    drawnToPx = fromPx + 1 / devicePixelRatio;
    const draftPx = snap(usToPx(scale, draftUs));
    const swapPx = snap(usToPx(scale, swapUs));
    const gapPx = toPx - fromPx > 5 ? 1 : 0;
    const block = (color: string, left: number, right: number): void => {
      context.fillStyle = color;
      if (right > left) context.fillRect(left, AXIS_PX, right - left, TIME_PX);
    };
    block(theme.draft, fromPx, draftPx);
    block(theme.swap, draftPx, swapPx);
    block(theme.verify, swapPx, toPx - gapPx);
    const widthPx = Math.max(1 / devicePixelRatio, toPx - fromPx - gapPx);
    const unitPx = heightPx / mostTokens;
    const acceptedPx = snap(round.accepted * unitPx);
    const draftedPx = snap(round.drafted * unitPx);
    // A wash under a solid top: the lane is a large area of one hue.
    context.fillStyle = theme.draft;
    context.globalAlpha = 0.45;
    context.fillRect(fromPx, bottomPx - acceptedPx, widthPx, acceptedPx);
    context.globalAlpha = 1;
    context.fillRect(fromPx, bottomPx - acceptedPx, widthPx, Math.min(2, acceptedPx));
    drawRejected(context, theme, fromPx, bottomPx - draftedPx, widthPx, draftedPx - acceptedPx);
  }
}

/** What was drafted in vain is hollow where there is room for an outline. */
function drawRejected(
  context: CanvasRenderingContext2D,
  theme: RoundTheme,
  leftPx: number,
  topPx: number,
  widthPx: number,
  heightPx: number,
): void {
  if (heightPx <= 0) return;
  context.globalAlpha = 0.4;
  context.fillStyle = theme.rejected;
  context.fillRect(leftPx, topPx, widthPx, heightPx);
  context.globalAlpha = 1;
  if (widthPx < 4 || heightPx < 3) return;
  context.strokeStyle = theme.rejected;
  context.lineWidth = 1;
  context.strokeRect(leftPx + 0.5, topPx + 0.5, widthPx - 1, heightPx - 1);
}

function drawAcceptance(context: CanvasRenderingContext2D, frame: RoundFrame): void {
  const { rounds, acceptance, scale, theme } = frame;
  const heightPx = tokensHeight(frame);
  context.beginPath();
  let drawnToPx = -Infinity;
  const first = Math.max(0, firstAfter(rounds, scale.window.startUs) - 1);
  for (let index = first; index < rounds.length; index += 1) {
    const round = rounds[index]!;
    const value = acceptance[index]!;
    if (!Number.isFinite(value)) continue;
    const xPx = usToPx(scale, (startUs(round) + endUs(round)) / 2);
    const yPx = TOKENS_TOP_PX + (1 - value) * heightPx;
    // Points closer than this only thicken the line.
    if (xPx < drawnToPx + 2) continue;
    if (drawnToPx === -Infinity) context.moveTo(xPx, yPx);
    else context.lineTo(xPx, yPx);
    drawnToPx = xPx;
    if (startUs(round) > scale.window.endUs) break;
  }
  // A rim of the ground keeps the line apart from the bars it crosses.
  context.lineJoin = 'round';
  context.strokeStyle = theme.surface;
  context.lineWidth = 3.5;
  context.stroke();
  context.strokeStyle = theme.text;
  context.lineWidth = 1.5;
  context.stroke();
}
