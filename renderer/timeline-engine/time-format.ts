import { formatMs } from '../format';

const THIN = '\u2009';
const UNITS = [
  { unit: 's', inUs: 1e6, fromStepUs: 1e6 },
  { unit: 'ms', inUs: 1e3, fromStepUs: 1 },
  { unit: 'µs', inUs: 1, fromStepUs: 0 },
];

/** `12.50 ms` for a tick of a scale whose ticks are `stepUs` apart: unit and decimals fit the step. */
export function formatTick(us: number, stepUs: number): string {
  const { unit, inUs } = UNITS.find(({ fromStepUs }) => stepUs >= fromStepUs) ?? { unit: 'µs', inUs: 1 };
  const decimals = Math.max(0, -Math.floor(Math.log10(stepUs / inUs) + 1e-9));
  return `${(us / inUs).toFixed(decimals)}${THIN}${unit}`;
}

/** A duration: `8.4 µs`, `73 µs`, `0.85 ms`, `12.3 ms`. */
export function formatDuration(us: number): string {
  if (us < 99.5) return `${us.toFixed(us < 9.95 ? 1 : 0)}${THIN}µs`;
  return formatMs(us / 1000);
}
