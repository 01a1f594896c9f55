import { dtypeCodeOf, elementBytes } from '../../base';

/** Element types of the Open Inference Protocol v2, with the ONNX names the rest of Sluice uses. */
const DTYPES = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  BF16: 'bfloat16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const;

export type Datatype = keyof typeof DTYPES;

export const DATATYPES = Object.keys(DTYPES) as readonly Datatype[];

const BY_DTYPE: ReadonlyMap<string, Datatype> = new Map(DATATYPES.map((name) => [DTYPES[name], name]));

export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(DTYPES, name);
}

/** `float32` for `FP32`. */
export function dtypeOf(datatype: Datatype): string {
  return DTYPES[datatype];
}

/** `FP32` for `float32`; undefined for an element type the protocol has no name for. */
export function datatypeOf(dtype: string): Datatype | undefined {
  return BY_DTYPE.get(dtype);
}

/** Bytes of one element; 0 for `BYTES`, whose elements differ in length. */
export function datatypeBytes(datatype: Datatype): number {
  return elementBytes(dtypeCodeOf(DTYPES[datatype]) ?? 0);
}
