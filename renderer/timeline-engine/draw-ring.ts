import { formatBytes } from '../format';
import { strings } from '../strings';
import type { LaneBox } from './lane-layout';
import { upperBound } from './span-row';
import { stepAt, stepExtent } from './step-lod';
import type { StepLod } from './step-lod';
import { pxToUs, usPerPx, usToPx } from './time-scale';
import type { TimeScale } from './time-scale';
import type { TimelineTheme } from './theme';

/** Ring occupancy as a filled step line; capacity is the lane's top. Where steps are dense, the band min..max. */
export function drawRing(
  context: CanvasRenderingContext2D,
  ring: StepLod,
  capacityBytes: number,
  box: LaneBox,
  scale: TimeScale,
  theme: TimelineTheme,
): void {
  const fullBytes = Math.max(capacityBytes, ring.peak, 1);
  const bottomPx = box.topPx + box.heightPx;
  const yOf = (bytes: number): number => bottomPx - (bytes / fullBytes) * (box.heightPx - 2);
  if (capacityBytes > 0) drawCapacity(context, yOf(capacityBytes), capacityBytes, scale, theme);
  if (ring.at.length === 0) return;
  const first = upperBound(ring.at, scale.window.startUs);
  const end = upperBound(ring.at, scale.window.endUs);
  const area = { bottomPx, yOf, theme };
  if (end - first > scale.widthPx) drawBand(context, ring, scale, area);
  else drawSteps(context, ring, scale, first, end, area);
}

interface RingArea {
  readonly bottomPx: number;
  readonly yOf: (bytes: number) => number;
  readonly theme: TimelineTheme;
}

function drawSteps(
  context: CanvasRenderingContext2D,
  ring: StepLod,
  scale: TimeScale,
  first: number,
  end: number,
  { bottomPx, yOf, theme }: RingArea,
): void {
  const rightPx = Math.min(scale.leftPx + scale.widthPx, usToPx(scale, ring.at.at(-1)!));
  if (rightPx <= scale.leftPx) return;
  const trace = (close: boolean): void => {
    context.beginPath();
    let yPx = yOf(stepAt(ring, scale.window.startUs));
    context.moveTo(scale.leftPx, yPx);
    for (let i = first; i < end; i += 1) {
      const xPx = usToPx(scale, ring.at[i]!);
      context.lineTo(xPx, yPx);
      yPx = yOf(ring.value[i]!);
      context.lineTo(xPx, yPx);
    }
    context.lineTo(rightPx, yPx);
    if (!close) return;
    context.lineTo(rightPx, bottomPx);
    context.lineTo(scale.leftPx, bottomPx);
  };
  trace(true);
  context.fillStyle = theme.ringFill;
  context.fill();
  trace(false);
  context.strokeStyle = theme.ring;
  context.lineWidth = 1;
  context.stroke();
}

function drawBand(context: CanvasRenderingContext2D, ring: StepLod, scale: TimeScale, area: RingArea): void {
  const { bottomPx, yOf, theme } = area;
  const lastUs = ring.at.at(-1)!;
  const pxUs = usPerPx(scale);
  const band: number[] = [];
  // One colour after the other: changing it for every column costs more than going over them twice.
  context.fillStyle = theme.ringFill;
  for (let column = 0; column < scale.widthPx; column += 1) {
    const xPx = scale.leftPx + column;
    const fromUs = pxToUs(scale, xPx);
    if (fromUs > lastUs) break;
    const { min, max } = stepExtent(ring, fromUs, fromUs + pxUs);
    const lowPx = Math.round(yOf(min));
    context.fillRect(xPx, lowPx, 1, bottomPx - lowPx);
    band.push(xPx, Math.round(yOf(max)), lowPx);
  }
  context.fillStyle = theme.ring;
  context.globalAlpha = 0.75;
  for (let i = 0; i < band.length; i += 3)
    context.fillRect(band[i]!, band[i + 1]!, 1, band[i + 2]! - band[i + 1]! + 1);
  context.globalAlpha = 1;
}

function drawCapacity(
  context: CanvasRenderingContext2D,
  yPx: number,
  bytes: number,
  scale: TimeScale,
  theme: TimelineTheme,
): void {
  context.strokeStyle = theme.ring;
  context.globalAlpha = 0.5;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(scale.leftPx, Math.round(yPx) + 0.5);
  context.lineTo(scale.leftPx + scale.widthPx, Math.round(yPx) + 0.5);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.fillStyle = theme.muted;
  context.font = theme.smallFont;
  context.textAlign = 'right';
  context.textBaseline = 'top';
  context.fillText(strings.trace.ringOf(formatBytes(bytes)), scale.leftPx + scale.widthPx - 4, yPx + 3);
}
