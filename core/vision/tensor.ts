import { float16ToNumber, numberToFloat16 } from '../base';
import { SluiceError } from '../contract';

/** The array behind each ONNX element type. `float16` is kept as its bits; `bool` is one byte, 0 or 1. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export type TensorDtype = keyof typeof ARRAYS;
export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A dense row-major tensor. Whoever made it owns `data`; a reader must not write it. */
export interface Tensor {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly data: TensorArray;
}

/**
 * Runs one network: inputs by name to outputs by name. Outputs are valid until the next call of the same runner;
 * copy what must outlive it.
 */
export type TensorRunner = (inputs: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>;

export function isTensorDtype(dtype: string): dtype is TensorDtype {
  return Object.hasOwn(ARRAYS, dtype);
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** A zeroed array of `length` elements of `dtype`. */
export function allocateElements(dtype: TensorDtype, length: number): TensorArray {
  return new ARRAYS[dtype](length);
}

/** Reinterprets little-endian bytes as elements; copies, so the bytes need no alignment. */
export function elementsFromBytes(dtype: TensorDtype, bytes: Uint8Array): TensorArray {
  // Not `slice`: a Buffer's shares its memory.
  const copy = new Uint8Array(bytes);
  return new ARRAYS[dtype](copy.buffer, 0, copy.byteLength / ARRAYS[dtype].BYTES_PER_ELEMENT);
}

export function bytesPerElement(dtype: TensorDtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/**
 * The one output of a network that has one, or the first of several.
 * @throws SluiceError `runtime` when the runner gave none.
 */
export function firstOutput(outputs: ReadonlyMap<string, Tensor>, what: string): Tensor {
  for (const tensor of outputs.values()) return tensor;
  throw new SluiceError('runtime', `${what}: the network gave no output; expected one tensor.`);
}

/** Elements as plain numbers: float16 decoded, 64-bit integers rounded to the nearest double. float32 is not copied. */
export function asFloats(tensor: Tensor): Float32Array | Float64Array {
  const { data, dtype } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  const floats = new Float64Array(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const value = data[i] ?? 0;
    floats[i] = dtype === 'float16' ? float16ToNumber(Number(value)) : Number(value);
  }
  return floats;
}

/** A tensor of a floating dtype from float32 values; float32 takes the array itself. */
export function floatTensor(
  dtype: 'float32' | 'float16' | 'float64',
  shape: readonly number[],
  values: Float32Array,
): Tensor {
  if (dtype === 'float32') return { dtype, shape, data: values };
  if (dtype === 'float64') return { dtype, shape, data: Float64Array.from(values) };
  return { dtype, shape, data: Uint16Array.from(values, numberToFloat16) };
}
