import { SluiceError } from '../contract';
import { DataType } from './model';

/** Bits of one element in `raw_data`; strings have none. */
const BITS: ReadonlyMap<DataType, number> = new Map([
  [DataType.undefined, 0],
  [DataType.float32, 32],
  [DataType.uint8, 8],
  [DataType.int8, 8],
  [DataType.uint16, 16],
  [DataType.int16, 16],
  [DataType.int32, 32],
  [DataType.int64, 64],
  [DataType.string, 0],
  [DataType.bool, 8],
  [DataType.float16, 16],
  [DataType.float64, 64],
  [DataType.uint32, 32],
  [DataType.uint64, 64],
  [DataType.complex64, 64],
  [DataType.complex128, 128],
  [DataType.bfloat16, 16],
  [DataType.float8e4m3fn, 8],
  [DataType.float8e4m3fnuz, 8],
  [DataType.float8e5m2, 8],
  [DataType.float8e5m2fnuz, 8],
  [DataType.uint4, 4],
  [DataType.int4, 4],
  [DataType.float4e2m1, 4],
  [DataType.float8e8m0, 8],
  [DataType.uint2, 2],
  [DataType.int2, 2],
]);
const BY_NUMBER: ReadonlyMap<number, DataType> = new Map([...BITS.keys()].map((dtype) => [dtype, dtype]));
const BY_NAME: ReadonlyMap<string, DataType> = new Map(
  [...BITS.keys()].map((dtype) => [DataType[dtype], dtype]),
);

/** Bits of one element as stored in `raw_data`; 0 for string and undefined. */
export function dtypeBits(dtype: DataType): number {
  return BITS.get(dtype) ?? 0;
}

/** The lower-case name used everywhere outside core/onnx: `float32`, `int64`, ... */
export function dtypeName(dtype: DataType): string {
  return DataType[dtype];
}

/** The inverse of `dtypeName`; undefined for a name ONNX does not have. */
export function dtypeFromName(name: string): DataType | undefined {
  return BY_NAME.get(name);
}

/** The DataType of a number in a file; undefined for one this build does not know. */
export function dtypeFromNumber(value: number): DataType | undefined {
  return BY_NUMBER.get(value);
}

const MOST_SIZES = 16;

/** `[1, 3, 224, 224]`, for a message: a damaged file may hold a million sizes. */
export function shapeText(dims: readonly number[]): string {
  const more = dims.length > MOST_SIZES ? `, ... ${dims.length - MOST_SIZES} more` : '';
  return `[${dims.slice(0, MOST_SIZES).join(', ')}${more}]`;
}

/**
 * The product of the sizes; 1 for a scalar (`[]`).
 * @throws SluiceError `bad-model` for a negative or fractional size, or a product beyond 2^53.
 */
export function elementCount(dims: readonly number[]): number {
  const wrong = dims.find((dim) => !Number.isSafeInteger(dim) || dim < 0);
  if (wrong !== undefined) {
    throw new SluiceError(
      'bad-model',
      `shape ${shapeText(dims)}: expected sizes of 0 or more, found ${wrong}`,
    );
  }
  // A zero anywhere makes the tensor empty, however large the other sizes are.
  const count = dims.includes(0) ? 0 : dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count)) {
    throw new SluiceError('bad-model', `shape ${shapeText(dims)} has more than 2^53 elements`);
  }
  return count;
}

/**
 * Bytes of a tensor in `raw_data`: 4- and 2-bit elements are packed and the last byte padded.
 * @throws SluiceError `bad-model` for an impossible shape or a dtype without fixed size (string).
 */
export function tensorBytes(dtype: DataType, dims: readonly number[]): number {
  const bits = dtypeBits(dtype);
  if (bits === 0) {
    throw new SluiceError('bad-model', `a ${dtypeName(dtype)} tensor has no fixed size in bytes`);
  }
  const count = elementCount(dims);
  const bytes = bits >= 8 ? count * (bits / 8) : Math.ceil(count / (8 / bits));
  if (!Number.isSafeInteger(bytes)) {
    throw new SluiceError(
      'bad-model',
      `shape ${shapeText(dims)} of ${dtypeName(dtype)} has more than 2^53 bytes`,
    );
  }
  return bytes;
}
