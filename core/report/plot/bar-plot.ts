import { formatNumber } from '../format';
import { markup } from '../markup';
import type { Markup } from '../markup';
import { linearScale, px } from './scale';

export interface BarRow {
  readonly name: string;
  /** Of one hue with others of its series, 0 to 7. */
  readonly series?: number;
  readonly value: number;
  /** Ends of the spread. */
  readonly low?: number;
  readonly high?: number;
}

export interface BarPlot {
  readonly title: string;
  /** With its unit. */
  readonly label: string;
  readonly rows: readonly BarRow[];
  readonly format?: (value: number) => string;
  readonly legend?: readonly string[];
  /** A mark across all bars. */
  readonly rule?: { readonly name: string; readonly value: number };
}

const WIDTH = 880;
const NAMES = 190;
const VALUES = 92;
const ROW = 20;
const TOP = 6;
const BOTTOM = 36;

/** Horizontal bars from zero, each with its figure beside it: the picture is its own table. */
export function barPlot({ title, label, rows: given, format = formatNumber, legend, rule }: BarPlot): Markup {
  const rows = given.filter(({ value }) => Number.isFinite(value));
  const bottom = TOP + rows.length * ROW;
  const high = Math.max(
    0,
    ...rows.map(({ value, high: most = value }) => Math.max(value, most)).filter(Number.isFinite),
    rule?.value ?? 0,
  );
  const x = linearScale({ low: 0, high: high || 1 }, NAMES, WIDTH - VALUES, 6);
  const said = rows.map(({ name, value }) => `${name}: ${format(value)}`).join('; ');
  return markup`<figure><figcaption>${title}</figcaption>${
    legend &&
    markup`<ul class="legend">${legend.map((name, index) => markup`<li><svg viewBox="0 0 22 10" aria-hidden="true"><rect class="bar c${index}" width="22" height="10" rx="2"/></svg>${name}</li>`)}</ul>`
  }<svg class="plot" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" role="img" aria-label="${title}, ${label}. ${said}">
${x.ticks.map((tick) => markup`<path class="grid" d="M${px(x.at(tick))} ${TOP}V${bottom}"/><text x="${px(x.at(tick))}" y="${bottom + 15}" text-anchor="middle">${formatNumber(tick)}</text>`)}
<text x="${(NAMES + WIDTH - VALUES) / 2}" y="${bottom + 31}" text-anchor="middle">${label}</text>
${rows.map((row, index) => barMarkup(row, TOP + index * ROW, x.at, format))}${
    rule &&
    markup`<path class="rule" d="M${px(x.at(rule.value))} ${TOP}V${bottom}"/><text x="${px(x.at(rule.value))}" y="${bottom + 31}">${rule.name}</text>`
  }</svg></figure>`;
}

function barMarkup(
  { name, series = 0, value, low, high }: BarRow,
  top: number,
  at: (value: number) => number,
  format: (value: number) => string,
): Markup {
  const end = Math.max(at(0), at(Number.isFinite(value) ? value : 0));
  const middle = top + ROW / 2;
  const spread =
    low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high)
      ? markup`<path class="axis" d="M${px(at(low))} ${middle}H${px(at(high))}M${px(at(low))} ${middle - 3}v6M${px(at(high))} ${middle - 3}v6"/>`
      : undefined;
  const textAt = Math.max(end, spread === undefined ? 0 : at(high ?? 0)) + 6;
  return markup`<text class="value" x="${NAMES - 8}" y="${middle + 4}" text-anchor="end">${shortened(name)}</text><rect class="bar c${series}" x="${px(at(0))}" y="${top + 4}" width="${px(end - at(0))}" height="${ROW - 8}" rx="1.5"/>${spread}<text class="value" x="${px(textAt)}" y="${middle + 4}">${format(value)}</text>`;
}

function shortened(name: string): string {
  const letters = Array.from(name);
  return letters.length > 30 ? `${letters.slice(0, 29).join('')}…` : name;
}
