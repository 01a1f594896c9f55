/**
 * ONNX element types by code (`TensorProto.DataType`, the same numbers as ONNX Runtime's
 * `ONNXTensorElementDataType` as far as this list goes), with the lower-case names the contract uses.
 */
const DTYPES: readonly (readonly [code: number, name: string, bytes: number])[] = [
  [1, 'float32', 4],
  [2, 'uint8', 1],
  [3, 'int8', 1],
  [4, 'uint16', 2],
  [5, 'int16', 2],
  [6, 'int32', 4],
  [7, 'int64', 8],
  [8, 'string', 0],
  [9, 'bool', 1],
  [10, 'float16', 2],
  [11, 'float64', 8],
  [12, 'uint32', 4],
  [13, 'uint64', 8],
  [14, 'complex64', 8],
  [15, 'complex128', 16],
  [16, 'bfloat16', 2],
  [17, 'float8e4m3fn', 1],
  [18, 'float8e4m3fnuz', 1],
  [19, 'float8e5m2', 1],
  [20, 'float8e5m2fnuz', 1],
  [21, 'uint4', 0.5],
  [22, 'int4', 0.5],
  [23, 'float4e2m1', 0.5],
];

const NAMES = new Map(DTYPES.map(([code, name]) => [code, name]));
const CODES = new Map(DTYPES.map(([code, name]) => [name, code]));
const BYTES = new Map(DTYPES.map(([code, , bytes]) => [code, bytes]));

/** `float32` for 1; `dtype-99` for a code this build does not know. */
export function dtypeNameOf(code: number): string {
  return NAMES.get(code) ?? `dtype-${code}`;
}

/** The inverse of `dtypeNameOf`, also for codes this build does not know; undefined for any other name. */
export function dtypeCodeOf(name: string): number | undefined {
  const unknown = /^dtype-(\d+)$/.exec(name)?.[1];
  return unknown === undefined ? CODES.get(name) : Number(unknown);
}

/** Bytes of one element, 0.5 where two share a byte; 0 for types without a fixed size (strings) or unknown ones. */
export function elementBytes(code: number): number {
  return BYTES.get(code) ?? 0;
}

/** Bytes of a dense tensor (`dims` row-major, the last byte of 4-bit elements padded); 0 as in `elementBytes`. */
export function denseBytes(code: number, dims: readonly number[]): number {
  return Math.ceil(dims.reduce((product, dim) => product * dim, elementBytes(code)));
}
