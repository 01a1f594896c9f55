import { folded, table } from '../blocks';
import { formatNumber } from '../format';
import { markup } from '../markup';
import type { Markup } from '../markup';
import { linearScale, logScale, px, spanOf } from './scale';
import type { Scale } from './scale';

export interface Axis {
  /** With its unit. */
  readonly label: string;
  readonly isLog?: boolean;
  /** The axis reaches down to 0. */
  readonly fromZero?: boolean;
  readonly format?: (value: number) => string;
}

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  /** The spread about it. */
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  /** Points in the order of x; those that are not finite part the line. */
  readonly points: readonly PlotPoint[];
  /** Single points, not joined. */
  readonly isDots?: boolean;
  /** Drawn greater, in the accent's colour: what the report is about. */
  readonly isHere?: boolean;
  /** A band between `low` and `high` instead of a mark at each point. */
  readonly isBand?: boolean;
}

/** A straight line across the plot, with its name. */
export interface Rule {
  readonly name: string;
  readonly y: number;
}

export interface LinePlot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly rules?: readonly Rule[];
}

const WIDTH = 880;
const HEIGHT = 300;
const LEFT = 66;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 44;
const COLOURS = 8;
/** Rows of a data table; more are sampled evenly. */
const MOST_ROWS = 200;

/** A figure with its caption, legend, picture, and the same data as a table. */
export function linePlot(plot: LinePlot): Markup {
  const { title, lines } = plot;
  const legend = lines.length > 1 || lines.some(({ isDots, isBand }) => isDots ?? isBand);
  return markup`<figure><figcaption>${title}</figcaption>${
    legend ? markup`<ul class="legend">${lines.map(legendItem)}</ul>` : undefined
  }${picture(plot)}${folded('Data of this plot', dataTable(plot))}</figure>`;
}

function classOf(index: number): string {
  const dash = Math.floor(index / COLOURS) % 4;
  return `c${index % COLOURS}${dash === 0 ? '' : ` dash${dash}`}`;
}

function legendItem({ name, isDots, isHere }: Line, index: number): Markup {
  const mark =
    isDots || isHere
      ? markup`<circle class="dot ${classOf(index)}${isHere ? ' here' : ''}" cx="11" cy="5" r="4"/>`
      : markup`<path class="line ${classOf(index)}" d="M0 5H22"/>`;
  return markup`<li><svg viewBox="0 0 22 10" aria-hidden="true">${mark}</svg>${name}</li>`;
}

interface Frame {
  readonly x: Scale;
  readonly y: Scale;
}

function frameOf({ x, y, lines, rules = [] }: LinePlot): Frame {
  const points = lines.flatMap((line) => line.points);
  const xs = spanOf(points.map((point) => point.x).filter((value) => !x.isLog || value > 0));
  const ys = spanOf(
    [
      ...points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
      ...rules.map((rule) => rule.y),
    ].filter((value) => !y.isLog || value > 0),
  );
  const zeroed = y.fromZero ? { low: Math.min(0, ys.low), high: ys.high } : ys;
  return {
    x: x.isLog && xs.low > 0 ? logScale(xs, LEFT, WIDTH - RIGHT) : tight(xs),
    y: y.isLog && ys.low > 0 ? logScale(ys, HEIGHT - BOTTOM, TOP) : linearScale(zeroed, HEIGHT - BOTTOM, TOP),
  };
}

/** Along x the data fill the width: ticks are those round numbers that lie within. */
function tight(span: { readonly low: number; readonly high: number }): Scale {
  const { low, high } = span;
  if (!(high > low)) return linearScale(span, LEFT, WIDTH - RIGHT);
  const pad = (high - low) * 0.015;
  const start = low - pad;
  const end = high + pad;
  const { ticks } = linearScale(span, 0, 1, 7);
  return {
    at: (value) => LEFT + ((value - start) / (end - start)) * (WIDTH - RIGHT - LEFT),
    ticks: ticks.filter((tick) => tick >= start && tick <= end),
    isLog: false,
  };
}

function picture(plot: LinePlot): Markup {
  const frame = frameOf(plot);
  const { title, x, y, lines, rules = [] } = plot;
  return markup`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}. ${y.label} against ${x.label}; the data stand in the table below.">
${axes(plot, frame)}${lines.map((line, index) => lineMarkup(line, index, frame))}${rules.map((rule, index) => ruleMarkup(rule, index, frame))}
</svg>`;
}

function axes({ x, y }: LinePlot, frame: Frame): Markup {
  const formatX = x.format ?? formatNumber;
  const formatY = y.format ?? formatNumber;
  const bottom = HEIGHT - BOTTOM;
  return markup`${frame.y.ticks.map((tick) => {
    const at = px(frame.y.at(tick));
    return markup`<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${formatY(tick)}</text>`;
  })}${frame.x.ticks.map(
    (tick) =>
      markup`<text x="${px(frame.x.at(tick))}" y="${bottom + 17}" text-anchor="middle">${formatX(tick)}</text><path class="axis" d="M${px(frame.x.at(tick))} ${bottom}v4"/>`,
  )}<path class="axis" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/><text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${x.label}</text><text x="14" y="${(TOP + bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(TOP + bottom) / 2})">${y.label}</text>`;
}

/** Names stand at the right and left ends in turn: rules may be close to each other. */
function ruleMarkup({ name, y }: Rule, index: number, frame: Frame): Markup {
  const at = px(frame.y.at(y));
  const isRight = index % 2 === 0;
  return markup`<path class="rule" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text class="halo" x="${isRight ? WIDTH - RIGHT - 4 : LEFT + 6}" y="${at}" dy="-5" text-anchor="${isRight ? 'end' : 'start'}">${name}</text>`;
}

function lineMarkup(line: Line, index: number, frame: Frame): Markup {
  const { isDots, isHere, isBand } = line;
  const points = line.points.filter(({ x }) => Number.isFinite(x) && (!frame.x.isLog || x > 0));
  const place = (point: PlotPoint): string => `${px(frame.x.at(point.x))} ${px(frame.y.at(point.y))}`;
  const isSeen = ({ y }: PlotPoint): boolean => Number.isFinite(y) && (!frame.y.isLog || y > 0);
  const seen = points.filter(isSeen);
  const spreads = seen.filter((point) => point.low !== undefined && point.high !== undefined);
  const colour = classOf(index);
  const band = isBand && spreads.length > 1 ? bandMarkup(spreads, colour, frame) : undefined;
  const bars = isBand
    ? []
    : spreads.map(
        ({ x, low = 0, high = 0 }) =>
          markup`<path class="spread ${colour}" d="M${px(frame.x.at(x))} ${px(frame.y.at(low))}V${px(frame.y.at(high))}"/>`,
      );
  if (isDots || isHere) {
    return markup`${bars}${seen.map(
      (point) =>
        markup`<circle class="dot ${colour}${isHere ? ' here' : ''}" cx="${px(frame.x.at(point.x))}" cy="${px(frame.y.at(point.y))}" r="${isHere ? 6 : 4}"/>`,
    )}`;
  }
  let path = '';
  let isOpen = false;
  for (const point of points) {
    if (!isSeen(point)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? 'L' : 'M'}${place(point)}`;
    isOpen = true;
  }
  const lone =
    seen.length === 1
      ? seen.map(
          (point) =>
            markup`<circle class="dot ${colour}" cx="${px(frame.x.at(point.x))}" cy="${px(frame.y.at(point.y))}" r="4"/>`,
        )
      : [];
  return markup`${band}${bars}<path class="line ${colour}" d="${path}"/>${lone}`;
}

function bandMarkup(points: readonly PlotPoint[], colour: string, frame: Frame): Markup {
  const over = points.map(({ x, high = 0 }) => `${px(frame.x.at(x))} ${px(frame.y.at(high))}`);
  const under = points.map(({ x, low = 0 }) => `${px(frame.x.at(x))} ${px(frame.y.at(low))}`).reverse();
  return markup`<path class="band ${colour}" d="M${[...over, ...under].join('L')}Z"/>`;
}

interface DataRow {
  readonly name: string;
  readonly point: PlotPoint;
}

function dataTable({ title, x, y, lines, rules = [] }: LinePlot): Markup {
  const rows = lines.flatMap(({ name, points }) => points.map((point): DataRow => ({ name, point })));
  const every = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
  const shown = rows.filter((_row, index) => index % every === 0);
  const ofAll = every > 1 ? ` (every ${every}th of ${rows.length} points)` : '';
  const said = rules.map((rule) => `; ${rule.name}: ${(y.format ?? formatNumber)(rule.y)}`).join('');
  const hasSpread = shown.some(({ point }) => point.low !== undefined);
  return table<DataRow>(
    `${title}${ofAll}${said}`,
    [
      { title: 'line', cell: ({ name }) => name, isHead: true },
      { title: x.label, cell: ({ point }) => (x.format ?? formatNumber)(point.x), isNumber: true },
      { title: y.label, cell: ({ point }) => (y.format ?? formatNumber)(point.y), isNumber: true },
      ...(hasSpread
        ? [
            {
              title: 'from',
              cell: ({ point }: DataRow) => (point.low === undefined ? '' : formatNumber(point.low)),
              isNumber: true,
            },
            {
              title: 'to',
              cell: ({ point }: DataRow) => (point.high === undefined ? '' : formatNumber(point.high)),
              isNumber: true,
            },
          ]
        : []),
    ],
    shown,
  );
}
