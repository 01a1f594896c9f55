import { SluiceError } from '../contract';
import type { HostTensors } from '../layering';
import { elementsFromBytes, isTensorDtype } from '../vision';
import type { Tensor } from '../vision';

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
      return [name, { dtype, shape: dims, data: elementsFromBytes(dtype, bytes) }];
    }),
  );
}
