import { locale, strings } from '../strings';

/** Thin space between a figure and its unit. */
const THIN = '\u2009';
/** Shown where a figure is unknown. */
export const NO_FIGURE = '–';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

const FIXED = Array.from(
  { length: 7 },
  (_, decimals) =>
    new Intl.NumberFormat(locale, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: false,
    }),
);

/** With so many decimals and the reader's decimal sign; groups are never set apart. */
export function formatFixed(value: number, decimals: number): string {
  return FIXED[decimals]?.format(value) ?? String(value);
}

function byteScale(bytes: number): {
  readonly divisor: number;
  readonly unit: string;
  readonly decimals: number;
} {
  const size = Math.abs(bytes);
  const index = size < 1024 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(size) / 10));
  const divisor = 1024 ** index;
  const decimals = index === 0 || size / divisor >= 99.95 ? 0 : 1;
  return { divisor, unit: BYTE_UNITS[index] ?? 'B', decimals };
}

/** `318 MiB`, `1.2 GiB`: binary units, at most four digits. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return NO_FIGURE;
  const { divisor, unit, decimals } = byteScale(bytes);
  return `${formatFixed(bytes / divisor, decimals)}${THIN}${unit}`;
}

/** `318/512 MiB`: both in the unit of the second. */
export function formatBytesOf(part: number, whole: number): string {
  if (!Number.isFinite(part) || !Number.isFinite(whole)) return NO_FIGURE;
  const { divisor, unit, decimals } = byteScale(whole);
  return `${formatFixed(part / divisor, decimals)}/${formatFixed(whole / divisor, decimals)}${THIN}${unit}`;
}

/** `912 MB/s`: decimal units, as disks and links are sold. */
export function formatRate(bytesPerSec: number): string {
  if (!Number.isFinite(bytesPerSec)) return NO_FIGURE;
  if (bytesPerSec < 999.5) return `${formatFixed(bytesPerSec, 0)}${THIN}B/s`;
  if (bytesPerSec < 999.5e3) return `${formatFixed(bytesPerSec / 1e3, 0)}${THIN}kB/s`;
  if (bytesPerSec < 999.5e6) return `${formatFixed(bytesPerSec / 1e6, 0)}${THIN}MB/s`;
  return `${formatFixed(bytesPerSec / 1e9, 2)}${THIN}GB/s`;
}

/** `104 ms`, `8.3 ms`, `0.42 ms`, `2.41 s`: three digits. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return NO_FIGURE;
  if (ms >= 9_999.5) return `${formatFixed(ms / 1000, 1)}${THIN}s`;
  if (ms >= 999.5) return `${formatFixed(ms / 1000, 2)}${THIN}s`;
  return `${formatFixed(ms, msDecimals(ms))}${THIN}ms`;
}

/** A figure for a column whose head names the unit: `8.3`, `−104.2`, `1 240.0`; the points stand under each other. */
export function formatFigure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NO_FIGURE;
  const size = Math.abs(value);
  return `${value < 0 ? '−' : ''}${formatGrouped(size, 1)}`;
}

/** Groups of three before the point, thin spaces. @param size not negative */
function formatGrouped(size: number, decimals: number): string {
  const [whole = '', ...rest] = formatFixed(size, decimals).split(/(?=\D)/);
  return [whole.replace(/\B(?=(\d{3})+$)/g, THIN), ...rest].join('');
}

const MOST_TICK_DECIMALS = 6;

/** Labels of an axis' ticks: as many decimals as the finest of them needs, the same for all. */
export function formatTicks(values: readonly number[]): string[] {
  const needs = (value: number): number => {
    for (let decimals = 0; decimals < MOST_TICK_DECIMALS; decimals += 1) {
      const scaled = value * 10 ** decimals;
      // Ticks are sums of steps, and carry their rounding.
      if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, Math.abs(scaled))) return decimals;
    }
    return MOST_TICK_DECIMALS;
  };
  const decimals = Math.max(0, ...values.map(needs));
  return values.map((value) => {
    const text = formatGrouped(Math.abs(value), decimals);
    return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
  });
}

function msDecimals(ms: number): number {
  if (ms >= 99.95) return 0;
  return ms >= 9.995 ? 1 : 2;
}

/** Time left, rounded up: `4 s`, `2 min 05 s`, `1 h 03 min`. */
export function formatEta(seconds: number): string {
  if (!Number.isFinite(seconds)) return NO_FIGURE;
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole}${THIN}s`;
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${pad(whole % 60)}${THIN}s`;
  return `${Math.floor(whole / 3600)}${THIN}h ${pad(Math.floor((whole % 3600) / 60))}${THIN}min`;
}

/** `41%`. */
export function formatPct(pct: number, decimals = 0): string {
  return Number.isFinite(pct) ? `${formatFixed(pct, decimals)}%` : NO_FIGURE;
}

/** `12 345`: groups of three, thin spaces. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NO_FIGURE;
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** A tensor's shape: `1×3×224×224`, `?` for a free dimension. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? strings.ui.scalar : shape.map((dim) => (dim < 0 ? '?' : String(dim))).join('×');
}

const CLOCK = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });

/** `14:03:27`, local time. */
export function formatClock(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? NO_FIGURE : CLOCK.format(date);
}

/** `2026-05-01 14:03:27`: local time, written alike in every language and panel. */
export function formatDateTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return NO_FIGURE;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `30 Apr`, `Apr 30`: a day of this year. */
export function formatDay(date: Date): string {
  return DAY.format(date);
}

const SIZE_PATTERN = /^(\d+(?:[.,]\d+)?)\s*(%|[kmgt]i?b?|b)?$/i;
const SIZE_FACTORS: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['k', 1024],
  ['kib', 1024],
  ['kb', 1e3],
  ['m', 2 ** 20],
  ['mib', 2 ** 20],
  ['mb', 1e6],
  ['g', 2 ** 30],
  ['gib', 2 ** 30],
  ['gb', 1e9],
  ['t', 2 ** 40],
  ['tib', 2 ** 40],
  ['tb', 1e12],
]);

/**
 * What a user types as a size: `64MiB`, `64 M`, `1.5GB`, `12%`. A bare number counts MiB.
 * @param wholeBytes what 100% means; without it a percentage is refused.
 * @returns whole bytes, or undefined when the text is not a size.
 */
export function parseSize(text: string, wholeBytes?: number): number | undefined {
  const match = SIZE_PATTERN.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const amount = Number(match[1].replace(',', '.'));
  const unit = (match[2] ?? 'm').toLowerCase();
  if (unit === '%') return wholeBytes === undefined ? undefined : Math.round((amount / 100) * wholeBytes);
  const factor = SIZE_FACTORS.get(unit);
  return factor === undefined ? undefined : Math.round(amount * factor);
}
