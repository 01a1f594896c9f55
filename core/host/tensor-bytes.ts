import { SluiceError } from '../contract';
import type { HostTensors } from '../layering';
import { isTensorDtype } from '../vision';
import type { Tensor, TensorArray, TensorDtype } from '../vision';

/** The array that reads each element type's bytes; float16 stays its bits, bool its bytes. */
const ARRAYS: Readonly<Record<TensorDtype, new (bytes: ArrayBuffer) => TensorArray>> = {
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
};

/** For the engine. Shares the tensors' memory. */
export function toHostTensors(tensors: ReadonlyMap<string, Tensor>): HostTensors {
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [name, { dtype, dims: shape, bytes }];
    }),
  );
}

/**
 * From the engine. Copies, since bytes may lie at any offset.
 * @throws SluiceError `unsupported` for an element type without a JavaScript array (bfloat16, 4-bit integers).
 */
export function fromHostTensors(tensors: HostTensors): ReadonlyMap<string, Tensor> {
  return new Map(
    [...tensors].map(([name, { dtype, dims, bytes }]) => {
      if (!isTensorDtype(dtype)) {
        throw new SluiceError(
          'unsupported',
          `Output "${name}" is ${dtype}; Sluice can't show such values yet.`,
          {
            name,
            dtype,
          },
        );
      }
      return [name, { dtype, shape: dims, data: new ARRAYS[dtype](new Uint8Array(bytes).buffer) }];
    }),
  );
}
