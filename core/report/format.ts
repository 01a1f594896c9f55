import { formatBytes } from '../base';

/** Four significant digits, whole numbers whole, thousands parted. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toExponential(3);
  if (Number.isInteger(value) || size >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}

export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return `${formatNumber(ms)} ms`;
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(Math.abs(ms) >= 100 ? 0 : Math.abs(ms) >= 10 ? 1 : 2)} ms`;
}

export function formatPct(percent: number): string {
  return `${Number(percent.toFixed(1))} %`;
}

/** `2026-11-27 12:41:09 UTC` */
export function formatTime(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}

interface Unit {
  readonly suffix: RegExp;
  readonly unit: string;
  readonly format: (value: number) => string;
}

const UNITS: readonly Unit[] = [
  { suffix: /BytesPerSec$/, unit: '', format: (value) => `${formatBytes(value)}/s` },
  { suffix: /BytesPerToken$/, unit: '', format: (value) => `${formatBytes(value)}/token` },
  { suffix: /PerSec$/, unit: '1/s', format: formatNumber },
  { suffix: /Bytes$|^bytes$/, unit: '', format: (value) => formatBytes(value) },
  { suffix: /Pct$/, unit: '%', format: formatNumber },
  { suffix: /Minutes$|^minutes$/, unit: 'min', format: formatNumber },
  { suffix: /Sec$|^sec$/, unit: 's', format: formatNumber },
  { suffix: /Ms$|^ms$/, unit: 'ms', format: formatNumber },
  { suffix: /MicrosPerPoint$/, unit: 'µs a point', format: formatNumber },
];

/** A figure's name as words, its unit, and how it is written: `readBytesLast` names its unit within. */
export function figureOf(key: string): Unit & { readonly title: string } {
  const known = UNITS.find(({ suffix }) => suffix.test(key));
  const base = known ? key.replace(known.suffix, '') || key : key;
  const spoken =
    known?.suffix.source.includes('PerSec') && !known.suffix.source.includes('Bytes')
      ? `${base} a second`
      : base;
  const words = spoken
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_.]+/g, ' ')
    .toLowerCase()
    .trim();
  const title = words === '' ? key : words;
  return { suffix: /$/, format: formatNumber, unit: '', ...known, title };
}

/** A file's name of a report: letters, digits and dashes. */
export function fileName(...parts: readonly string[]): string {
  const plain = parts
    .join('-')
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 80);
  return `${plain === '' ? 'report' : plain}.html`;
}
