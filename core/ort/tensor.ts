import { denseBytes, dtypeCodeOf, elementBytes } from '../base';
import { SluiceError } from '../contract';
import type { OutNumber, OutPointer, Pointer } from './c-api';
import type { OrtEnvironment } from './environment';
import { addressOf, readInt64s } from './native-memory';

/** Element type and shape of a tensor, as ONNX Runtime reports them. */
export interface TensorShape {
  /** `TensorProto.DataType` code. */
  readonly dtype: number;
  readonly dims: readonly number[];
}

/** An OrtValue. Owned by its creator, who must call `release` once; the memory behind it belongs to someone else. */
export class OrtTensor {
  private released = false;
  constructor(
    private readonly environment: OrtEnvironment,
    readonly pointer: bigint,
    /** What owns the memory behind it, kept alive as long as the tensor is. */
    readonly owner?: object,
  ) {}

  /** dtype and dims; undefined for values that are not tensors (sequences, maps). */
  shape(): TensorShape | undefined {
    const { api } = this.environment;
    const isTensor: OutNumber = [0];
    api.check('IsTensor', this.pointer, isTensor);
    if (isTensor[0] === 0) return undefined;
    const info: OutPointer = [null];
    api.check('GetTensorTypeAndShape', this.pointer, info);
    try {
      return readTensorInfo(this.environment, info[0]);
    } finally {
      api.release('ReleaseTensorTypeAndShapeInfo', info[0]);
    }
  }

  /** Address of the elements, valid until `release`. */
  dataAddress(): bigint {
    const data: OutPointer = [null];
    this.environment.api.check('GetTensorMutableData', this.pointer, data);
    return data[0] as bigint;
  }

  /** Bytes of its elements, given its shape. */
  byteLength(shape: TensorShape): number {
    return denseBytes(shape.dtype, shape.dims);
  }

  /** A second call does nothing. */
  release(): void {
    if (this.released) return;
    this.released = true;
    this.environment.api.release('ReleaseValue', this.pointer);
  }
}

/**
 * A tensor over memory that stays where it is (no copy).
 * @param owner the object whose life the memory depends on (a `NativeMemory`, an array); the tensor holds on to it.
 * @param dtype a name, `float32`, or a `TensorProto.DataType` code.
 * @param dims row-major; @param byteLength must equal the product of dims times the element size.
 * @throws SluiceError `unsupported` (dtype), `internal` (another length), `runtime`.
 */
export function tensorOver(
  environment: OrtEnvironment,
  dtype: number | string,
  dims: readonly number[],
  address: bigint,
  byteLength: number,
  owner: object,
): OrtTensor {
  const code = typeof dtype === 'string' ? dtypeCodeOf(dtype) : dtype;
  if (code === undefined)
    throw new SluiceError('unsupported', `Unknown tensor element type ${String(dtype)}.`);
  const expected = denseBytes(code, dims);
  if (elementBytes(code) !== 0 && expected !== byteLength) {
    throw new SluiceError(
      'internal',
      `A tensor [${dims.join(', ')}] takes ${expected} bytes; its memory has ${byteLength}.`,
    );
  }
  const shape = BigInt64Array.from(dims, BigInt);
  const value: OutPointer = [null];
  environment.api.check(
    'CreateTensorWithDataAsOrtValue',
    environment.cpuMemoryInfo,
    address,
    byteLength,
    shape,
    dims.length,
    code,
    value,
  );
  return new OrtTensor(environment, value[0] as bigint, owner);
}

/** dtype and dims of an OrtTensorTypeAndShapeInfo; free dimensions are -1. */
export function readTensorInfo(environment: OrtEnvironment, info: Pointer): TensorShape {
  const { api } = environment;
  const dtype: OutNumber = [0];
  api.check('GetTensorElementType', info, dtype);
  const rank: OutNumber = [0];
  api.check('GetDimensionsCount', info, rank);
  const count = Number(rank[0]);
  if (count === 0) return { dtype: Number(dtype[0]), dims: [] };
  const dims = new BigInt64Array(new ArrayBuffer(8 * count));
  api.check('GetDimensions', info, dims, count);
  return { dtype: Number(dtype[0]), dims: readInt64s(addressOf(dims), count) };
}
