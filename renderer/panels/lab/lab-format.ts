import { formatFixed, NO_FIGURE } from '../../format';

const pad = (value: number): string => String(value).padStart(2, '0');

/** `0:12`, `4:34`, `1:02:03`, `3 d 04 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return NO_FIGURE;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${pad(hours % 24)} h`;
  if (hours > 0) return `${hours}:${pad(minutes)}:${pad(seconds % 60)}`;
  return `${minutes}:${pad(seconds % 60)}`;
}

/** What a run took: `0.4 s` below ten seconds, as one that took a moment did not take none; else as a clock. */
export function formatTaken(ms: number): string {
  return ms > 0 && ms < 9950 ? `${formatFixed(ms / 1000, 1)}\u2009s` : formatDuration(ms);
}

/** `14:03:27` of the day of `nowMs`, `05-01 14:03` of its year, else `2025-05-01`; local time. */
export function formatWhen(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const now = new Date(nowMs);
  if (Number.isNaN(date.getTime())) return NO_FIGURE;
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  const day = `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  if (date.toDateString() === now.toDateString()) return `${clock}:${pad(date.getSeconds())}`;
  return date.getFullYear() === now.getFullYear() ? `${day} ${clock}` : `${date.getFullYear()}-${day}`;
}

/** `2026-05-01 14:03:27`, local time. */
export function formatMoment(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return NO_FIGURE;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** As many decimals as its size needs, so that a column's figures stand under each other: `0.2130`, `12.34`, `NaN`, `∞`. */
export function formatMetric(value: number | undefined): string {
  if (value === undefined) return NO_FIGURE;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (Number.isInteger(value) && size < 1e9) return `${sign}${size}`;
  if (size < 1e-3 || size >= 1e7) return `${sign}${size.toExponential(2).replace('e+', 'e')}`;
  if (size < 0.01) return `${sign}${formatFixed(size, 5)}`;
  const digitsBefore = Math.max(1, Math.floor(Math.log10(size)) + 1);
  return `${sign}${formatFixed(size, size < 1 ? 4 : Math.max(0, 4 - digitsBefore))}`;
}
