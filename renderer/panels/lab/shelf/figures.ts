import { NO_FIGURE } from '../../../format';

/** `0.9312`, `12.3`, `1.2e-5`: a metric or a parameter in at most five digits. */
export function formatValue(value: number | undefined): string {
  if (value === undefined) return NO_FIGURE;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return `${sign}${Number(size.toPrecision(3)).toExponential().replace('e+', 'e')}`;
  }
  if (Number.isInteger(value)) return `${sign}${size}`;
  return `${sign}${Number(size.toPrecision(size < 1 ? 4 : 5))}`;
}

/** As many decimals for each of a column's figures, so that they can be compared. */
export function decimalsFor(values: readonly number[]): number {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.every((value) => Number.isInteger(value))) return 0;
  const largest = Math.max(...finite.map(Math.abs));
  return largest >= 1000 ? 1 : largest >= 100 ? 2 : largest >= 10 ? 3 : 4;
}

/** `27 Nov, 14:03`; with the year where it is another: `31 Dec 2025, 09:10`. Local time. */
export function formatDay(atMs: number, nowMs: number): string {
  const date = new Date(atMs);
  const isThisYear = date.getFullYear() === new Date(nowMs).getFullYear();
  const day = date.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
  return `${day}, ${date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`;
}

/** `3 d 4 h`, `5 h 12 min`, `12 min`, `40 s`: two parts at most. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}\u2009s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u2009min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}\u2009h ${minutes % 60}\u2009min`;
  return `${Math.floor(hours / 24)}\u2009d ${hours % 24}\u2009h`;
}

/** `1 file`, `3 files`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
