import { float16ToNumber, numberToFloat16 } from '../../base';
import type { Datatype } from './datatype';

/** How elements of one datatype go between their bytes and JSON. */
export interface ElementCodec {
  /** The element at a byte offset, as JSON text. */
  readonly text: (view: DataView, offset: number) => string;
  /** Writes a parsed JSON value there; false when it is no value of this datatype. */
  readonly write: (view: DataView, offset: number, value: unknown) => boolean;
  /** What `write` takes, for messages. */
  readonly expected: string;
}

/** JSON has no such numbers; their names, as in the JSON mapping of Protocol Buffers. */
const SPECIAL: ReadonlyMap<string, number> = new Map(
  [NaN, Infinity, -Infinity].map((value) => [String(value), value]),
);
const INTEGER_TEXT = /^-?\d{1,20}$/;
/** As many digits as the largest double has. */
const LONG_INTEGER_TEXT = /^-?\d{1,309}$/;

function floatText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A long integer comes as text (see `parseJson`). */
function floatOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  return SPECIAL.get(value) ?? (LONG_INTEGER_TEXT.test(value) ? Number(value) : undefined);
}

function floats(
  read: (view: DataView, offset: number) => number,
  put: (view: DataView, offset: number, value: number) => void,
  largest: number,
): ElementCodec {
  return {
    text: (view, offset) => floatText(read(view, offset)),
    write: (view, offset, value) => {
      const number = floatOf(value);
      if (number === undefined || (Number.isFinite(number) && Math.abs(number) > largest)) return false;
      put(view, offset, number);
      return true;
    },
    expected: 'a number in range, "NaN", "Infinity" or "-Infinity"',
  };
}

type IntegerName = 'Uint8' | 'Int8' | 'Uint16' | 'Int16' | 'Uint32' | 'Int32';

function integers(name: IntegerName, least: number, greatest: number): ElementCodec {
  return {
    text: (view, offset) => String(view[`get${name}`](offset, true)),
    write: (view, offset, value) => {
      if (!Number.isInteger(value) || (value as number) < least || (value as number) > greatest) return false;
      view[`set${name}`](offset, value as number, true);
      return true;
    },
    expected: `a whole number from ${least} to ${greatest}`,
  };
}

function longIntegers(name: 'BigInt64' | 'BigUint64', least: bigint, greatest: bigint): ElementCodec {
  return {
    text: (view, offset) => String(view[`get${name}`](offset, true)),
    write: (view, offset, value) => {
      const isExact = typeof value === 'string' ? INTEGER_TEXT.test(value) : Number.isSafeInteger(value);
      const integer = isExact ? BigInt(value as string | number) : undefined;
      if (integer === undefined || integer < least || integer > greatest) return false;
      view[`set${name}`](offset, integer, true);
      return true;
    },
    expected: `a whole number from ${least} to ${greatest}`,
  };
}

const BOOLEANS: ElementCodec = {
  text: (view, offset) => (view.getUint8(offset) === 0 ? 'false' : 'true'),
  write: (view, offset, value) => {
    if (typeof value !== 'boolean') return false;
    view.setUint8(offset, value ? 1 : 0);
    return true;
  },
  expected: 'true or false',
};

/** bfloat16 is the upper half of a float32; rounded to nearest, ties to even. */
function writeBfloat16(view: DataView, offset: number, value: number): void {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  const rounded = Number.isFinite(value) ? bits + 0x7fff + ((bits >>> 16) & 1) : bits;
  view.setUint16(offset, rounded >>> 16, true);
}

function readBfloat16(view: DataView, offset: number): number {
  const [value = 0] = new Float32Array(Uint32Array.of(view.getUint16(offset, true) << 16).buffer);
  return value;
}

/** Values that round to infinity begin half a step above the largest finite one. */
const LARGEST = { FP16: 65_519.99, BF16: 3.396e38, FP32: 3.4028235677973362e38 };

/** Every datatype of fixed size. */
export const ELEMENT_CODECS: Readonly<Record<Exclude<Datatype, 'BYTES'>, ElementCodec>> = {
  BOOL: BOOLEANS,
  UINT8: integers('Uint8', 0, 255),
  UINT16: integers('Uint16', 0, 65_535),
  UINT32: integers('Uint32', 0, 4_294_967_295),
  UINT64: longIntegers('BigUint64', 0n, 2n ** 64n - 1n),
  INT8: integers('Int8', -128, 127),
  INT16: integers('Int16', -32_768, 32_767),
  INT32: integers('Int32', -2_147_483_648, 2_147_483_647),
  INT64: longIntegers('BigInt64', -(2n ** 63n), 2n ** 63n - 1n),
  FP16: floats(
    (view, offset) => float16ToNumber(view.getUint16(offset, true)),
    (view, offset, value) => view.setUint16(offset, numberToFloat16(value), true),
    LARGEST.FP16,
  ),
  BF16: floats(readBfloat16, writeBfloat16, LARGEST.BF16),
  FP32: floats(
    (view, offset) => view.getFloat32(offset, true),
    (view, offset, value) => view.setFloat32(offset, value, true),
    LARGEST.FP32,
  ),
  FP64: floats(
    (view, offset) => view.getFloat64(offset, true),
    (view, offset, value) => view.setFloat64(offset, value, true),
    Number.MAX_VALUE,
  ),
};
