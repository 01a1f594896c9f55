/** A 64-bit integer: a bigint only where a number can't hold it exactly, so that `===` and `<` work on both. */
export type Int64 = number | bigint;

export interface MetricPoint {
  readonly step: Int64;
  /** As the client gave it: milliseconds since the Unix epoch. */
  readonly timestampMs: Int64;
  /** NaN and the infinities included. */
  readonly value: number;
}

/** A packed point: step and time as int64, the value as float64, little-endian. */
export const POINT_BYTES = 24;
const TIME_OFFSET = 8;
const VALUE_OFFSET = 16;
const HALF = 2 ** 32;

export function packPoints(points: readonly MetricPoint[]): Buffer {
  const bytes = Buffer.allocUnsafe(points.length * POINT_BYTES);
  let offset = 0;
  for (const { step, timestampMs, value } of points) {
    writeInt64(bytes, offset, step);
    writeInt64(bytes, offset + TIME_OFFSET, timestampMs);
    bytes.writeDoubleLE(value, offset + VALUE_OFFSET);
    offset += POINT_BYTES;
  }
  return bytes;
}

function writeInt64(bytes: Buffer, offset: number, integer: Int64): void {
  if (typeof integer === 'bigint') {
    bytes.writeBigInt64LE(integer, offset);
    return;
  }
  const high = Math.floor(integer / HALF);
  bytes.writeUInt32LE(integer - high * HALF, offset);
  bytes.writeInt32LE(high, offset + 4);
}

/** Packed points, read where they lie. */
export class PointView {
  private readonly view: DataView;
  readonly length: number;

  /** @param bytes whole points, as `packPoints` gives them; not copied. */
  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength / POINT_BYTES;
  }

  stepAt(index: number): Int64 {
    return this.int64At(index * POINT_BYTES);
  }

  timestampAt(index: number): Int64 {
    return this.int64At(index * POINT_BYTES + TIME_OFFSET);
  }

  valueAt(index: number): number {
    return this.view.getFloat64(index * POINT_BYTES + VALUE_OFFSET, true);
  }

  at(index: number): MetricPoint {
    return { step: this.stepAt(index), timestampMs: this.timestampAt(index), value: this.valueAt(index) };
  }

  /** Those from `start` to before `end`, not copied. */
  slice(start: number, end: number): PointView {
    const { buffer, byteOffset } = this.view;
    return new PointView(
      new Uint8Array(buffer, byteOffset + start * POINT_BYTES, (end - start) * POINT_BYTES),
    );
  }

  *[Symbol.iterator](): Generator<MetricPoint> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  private int64At(offset: number): Int64 {
    const integer = this.view.getInt32(offset + 4, true) * HALF + this.view.getUint32(offset, true);
    return Number.isSafeInteger(integer) ? integer : this.view.getBigInt64(offset, true);
  }
}

/** The order of a plot, whose last point is a metric's latest value: by step, then time, then value. */
export function compareBySteps(a: MetricPoint, b: MetricPoint): number {
  return order(a.step, b.step) || order(a.timestampMs, b.timestampMs) || orderValues(a.value, b.value);
}

/** The order of a history. */
function compareByTimes(a: MetricPoint, b: MetricPoint): number {
  return order(a.timestampMs, b.timestampMs) || order(a.step, b.step) || orderValues(a.value, b.value);
}

export type PointOrder = 'steps' | 'times';

/**
 * The points in order, each once: a client that did not get an answer logs the same points again.
 * @param bytes packed points; not changed, and what is returned lies in them where they are in order already.
 */
export function orderedPoints(bytes: Uint8Array, by: PointOrder): PointView {
  const view = new PointView(bytes);
  const compare = by === 'steps' ? compareBySteps : compareByTimes;
  if (isOrdered(view, by, compare)) return view;
  const points = Array.from({ length: view.length }, (_, index) => view.at(index)).sort(compare);
  return new PointView(
    packPoints(points.filter((point, index) => index === 0 || compare(points[index - 1]!, point) !== 0)),
  );
}

/** Looks at whole points only where what comes first in the order does not decide: most series are in order. */
function isOrdered(
  view: PointView,
  by: PointOrder,
  compare: (a: MetricPoint, b: MetricPoint) => number,
): boolean {
  let previous: Int64 | undefined;
  for (let index = 0; index < view.length; index++) {
    const current = by === 'steps' ? view.stepAt(index) : view.timestampAt(index);
    if (previous !== undefined && current <= previous) {
      if (current < previous || compare(view.at(index - 1), view.at(index)) >= 0) return false;
    }
    previous = current;
  }
  return true;
}

function order(a: Int64, b: Int64): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** NaN is above all numbers. */
function orderValues(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
