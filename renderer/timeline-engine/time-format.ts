import { formatFixed, formatMs } from '../format';

const THIN = '\u2009';
function unitFor(us: number): { readonly unit: string; readonly inUs: number } {
  if (us >= 1e6) return { unit: 's', inUs: 1e6 };
  return us >= 1e3 ? { unit: 'ms', inUs: 1e3 } : { unit: 'µs', inUs: 1 };
}

/** `12.50 ms` for a tick of a scale that ends at `endUs` and whose ticks are `stepUs` apart. */
export function formatTick(us: number, stepUs: number, endUs: number): string {
  const { unit, inUs } = unitFor(endUs);
  const decimals = Math.max(0, -Math.floor(Math.log10(stepUs / inUs) + 1e-9));
  const sign = us < 0 ? '−' : '';
  return `${sign}${formatFixed(Math.abs(us) / inUs, decimals)}${THIN}${unit}`;
}

/** A duration: `8.4 µs`, `73 µs`, `0.85 ms`, `12.3 ms`. */
export function formatDuration(us: number): string {
  if (us === 0) return formatMs(0);
  if (us < 99.5) return `${formatFixed(us, us < 9.95 ? 1 : 0)}${THIN}µs`;
  return formatMs(us / 1000);
}

/** A moment, to the microsecond: `16.512 ms`, `24.240113 s`; before the inference `−3.204 ms`. */
export function formatMoment(us: number): string {
  const awayUs = Math.abs(us);
  return formatTick(us, awayUs >= 1000 ? 1 : 0.1, awayUs);
}
