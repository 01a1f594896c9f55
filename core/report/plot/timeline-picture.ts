import { formatBytes } from '../../base';
import { SPAN_KINDS } from '../../contract';
import type { SpanKind, TraceColumns } from '../../contract';
import { formatMs } from '../format';
import { markup } from '../markup';
import type { Markup } from '../markup';
import { linearScale, px } from './scale';

const WIDTH = 880;
const LEFT = 66;
const RIGHT = 26;
const ROW = 22;
const RING = 64;
const GAP = 10;
/** Spans closer than this become one: nobody could see them apart. */
const MERGE_PX = 0.6;
/** Wide enough for a few letters of a layer's name. */
const LABEL_PX = 34;
const LETTER_PX = 5.6;
const MOST_DISK_ROWS = 4;

interface Block {
  readonly kind: SpanKind;
  readonly fromUs: number;
  toUs: number;
  readonly name: string;
  spans: number;
  bytes: number;
}

/**
 * One inference as lanes of time: reads of the disk, what the ring held, computing, and where computing waited. The
 * same shape and colours as the console's timeline.
 */
export function timelinePicture(whole: TraceColumns): Markup {
  const { trace, zeroUs } = cropped(whole);
  const endUs = endOf(trace);
  const x = linearScale({ low: 0, high: endUs / 1000 }, LEFT, WIDTH - RIGHT, 8);
  const at = (us: number): number => x.at(us / 1000);
  const perPxUs = endUs / (WIDTH - LEFT - RIGHT);
  const disk = blocksOf(trace, 'read', perPxUs, MOST_DISK_ROWS);
  const compute = blocksOf(trace, 'compute', perPxUs, 1);
  const stalls = blocksOf(trace, 'wait', perPxUs, 1);
  let top = 4;
  const place = (height: number): number => {
    const from = top;
    top += height + GAP;
    return from;
  };
  const diskTop = place(Math.max(1, disk.length) * ROW);
  const ringTop = place(RING);
  const computeTop = place(ROW);
  const stallTop = place(ROW);
  const bottom = top - GAP + 6;
  return markup`<svg class="plot" viewBox="0 0 ${WIDTH} ${bottom + 38}" role="img" aria-label="Timeline of the last inference, ${formatMs(endUs / 1000)} long: lanes of disk reads, ring occupancy, computing and stalls; sums stand in the table below.">
${x.ticks.map((tick) => markup`<path class="grid" d="M${px(x.at(tick))} 4V${bottom}"/><text x="${px(x.at(tick))}" y="${bottom + 15}" text-anchor="middle">${Number(tick.toPrecision(6))}</text>`)}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 32}" text-anchor="middle">${zeroUs > 0 ? `time, ms; what was read ahead of this inference, up to ${formatMs(zeroUs / 1000)} before, is left out` : 'time, ms'}</text>
${lane('disk', diskTop, disk, at)}${ringLane(trace, ringTop, at, endUs)}${lane('compute', computeTop, compute, at)}${lane('stalls', stallTop, stalls, at)}
</svg>`;
}

/** Share of the axis that reads ahead of the inference may take. */
const MOST_AHEAD = 0.1;

/** Without what was read long before computing began: in a repeated run, at the end of the inference before. */
function cropped(trace: TraceColumns): { readonly trace: TraceColumns; readonly zeroUs: number } {
  const read = SPAN_KINDS.indexOf('read');
  const own = trace.startUs.filter((_us, index) => trace.kind[index] !== read);
  const firstUs = own.length === 0 ? 0 : Math.min(...own);
  const endUs = endOf(trace);
  if (firstUs < MOST_AHEAD * endUs) return { trace, zeroUs: 0 };
  const zeroUs = firstUs - 0.02 * (endUs - firstUs);
  const isIn = trace.startUs.map((us, index) => (us + (trace.durationUs[index] ?? 0) > zeroUs ? 1 : 0));
  const kept = <T extends Float64Array | Uint32Array | Uint8Array>(column: T): T =>
    column.filter((_value, index) => isIn[index] === 1) as T;
  return {
    zeroUs,
    trace: {
      ...trace,
      layer: kept(trace.layer),
      kind: kept(trace.kind),
      startUs: kept(trace.startUs).map((us) => Math.max(0, us - zeroUs)),
      durationUs: kept(trace.durationUs),
      bytes: kept(trace.bytes),
      ringAtUs: trace.ringAtUs.map((us) => us - zeroUs),
    },
  };
}

function endOf({ startUs, durationUs }: TraceColumns): number {
  let end = 1;
  startUs.forEach((start, index) => (end = Math.max(end, start + (durationUs[index] ?? 0))));
  return end;
}

/** Reads go on beside each other: each takes the first row that is free by then. */
function blocksOf(trace: TraceColumns, kind: SpanKind, perPxUs: number, mostRows: number): Block[][] {
  const rows: Block[][] = [];
  trace.startUs.forEach((fromUs, index) => {
    if (SPAN_KINDS[trace.kind[index] ?? -1] !== kind) return;
    const toUs = fromUs + (trace.durationUs[index] ?? 0);
    const bytes = trace.bytes[index] ?? 0;
    let row = rows.findIndex((blocks) => (blocks[blocks.length - 1]?.toUs ?? 0) <= fromUs + 1);
    if (row < 0) row = rows.length < mostRows ? rows.length : mostRows - 1;
    const blocks = (rows[row] ??= []);
    const last = blocks[blocks.length - 1];
    const isSpeck = last !== undefined && (toUs - fromUs < perPxUs || last.toUs - last.fromUs < perPxUs);
    if (last && isSpeck && fromUs - last.toUs < MERGE_PX * perPxUs) {
      last.toUs = Math.max(last.toUs, toUs);
      last.spans += 1;
      last.bytes += bytes;
      return;
    }
    const name = trace.layerNames[trace.layer[index] ?? -1] ?? '';
    blocks.push({ kind, fromUs, toUs, name, spans: 1, bytes });
  });
  return rows;
}

function lane(
  name: string,
  top: number,
  rows: readonly (readonly Block[])[],
  at: (us: number) => number,
): Markup {
  const height = Math.max(1, rows.length) * ROW;
  return markup`<rect class="lane" x="${LEFT}" y="${top}" width="${WIDTH - RIGHT - LEFT}" height="${height}" rx="2"/><text class="value" x="${LEFT - 8}" y="${top + height / 2 + 4}" text-anchor="end">${name}</text>${rows.map(
    (blocks, row) => blocks.map((block) => blockMarkup(block, top + row * ROW, at)),
  )}`;
}

function blockMarkup(
  { kind, fromUs, toUs, name, spans, bytes }: Block,
  top: number,
  at: (us: number) => number,
): Markup {
  const from = at(fromUs);
  const width = Math.max(0.6, at(toUs) - from);
  const what = spans === 1 ? name : `${spans} spans from ${name}`;
  const held = bytes > 0 ? `, ${formatBytes(bytes)}` : '';
  const letters = Math.floor((width - 6) / LETTER_PX);
  const label =
    width >= LABEL_PX && spans === 1 && kind === 'compute'
      ? markup`<text class="inside" x="${px(from + 3)}" y="${top + ROW / 2 + 3.5}">${Array.from(name).slice(0, letters).join('')}</text>`
      : undefined;
  return markup`<rect class="${kind}" x="${px(from)}" y="${top + 2}" width="${px(width)}" height="${ROW - 4}"><title>${what}: ${formatMs((toUs - fromUs) / 1000)}${held}</title></rect>${label}`;
}

function ringLane(trace: TraceColumns, top: number, at: (us: number) => number, endUs: number): Markup {
  const { ringAtUs, ringBytes, ringCapacityBytes } = trace;
  const most = Math.max(ringCapacityBytes, 1);
  const y = (bytes: number): string => px(top + RING - (Math.min(bytes, most) / most) * (RING - 2));
  let path = '';
  let lastPx = -1;
  ringAtUs.forEach((us, index) => {
    const place = at(Math.max(0, Math.min(us, endUs)));
    // Several steps within half a pixel: the last one stands for them.
    if (place - lastPx < 0.5 && index < ringAtUs.length - 1) return;
    lastPx = place;
    path +=
      path === '' ? `M${px(place)} ${y(ringBytes[index] ?? 0)}` : `H${px(place)}V${y(ringBytes[index] ?? 0)}`;
  });
  const first = ringAtUs[0] ?? 0;
  const end = px(at(endUs));
  const line =
    path === ''
      ? undefined
      : markup`<path class="ring" d="${path}H${end}V${top + RING}H${px(at(Math.max(0, first)))}Z"/><path class="ringline" d="${path}H${end}"/>`;
  const none =
    ringCapacityBytes === 0
      ? markup`<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${top + RING / 2 + 4}" text-anchor="middle">no ring: nothing is streamed</text>`
      : undefined;
  return markup`<rect class="lane" x="${LEFT}" y="${top}" width="${WIDTH - RIGHT - LEFT}" height="${RING}" rx="2"/><text class="value" x="${LEFT - 8}" y="${top + RING / 2}" text-anchor="end">ring</text><text x="${LEFT - 8}" y="${top + RING / 2 + 13}" text-anchor="end">${ringCapacityBytes > 0 ? formatBytes(ringCapacityBytes) : ''}</text>${line}${none}`;
}

export interface LaneSums {
  readonly lane: string;
  readonly spans: number;
  readonly totalMs: number;
  readonly bytes: number;
}

/** The timeline in figures. */
export function laneSums(trace: TraceColumns): readonly LaneSums[] {
  const names: Readonly<Record<SpanKind, string>> = {
    read: 'disk reads',
    compute: 'computing',
    wait: 'stalls',
  };
  return SPAN_KINDS.map((kind, code) => {
    let spans = 0;
    let totalUs = 0;
    let bytes = 0;
    trace.kind.forEach((value, index) => {
      if (value !== code) return;
      spans += 1;
      totalUs += trace.durationUs[index] ?? 0;
      bytes += trace.bytes[index] ?? 0;
    });
    return { lane: names[kind], spans, totalMs: totalUs / 1000, bytes };
  });
}
