import { dtypeCodeOf, elementBytes, seededRandom } from '../base';
import { SluiceError, type TensorSpec } from '../contract';
import { tensorByteLength, type HostTensor, type HostTensors } from './tensors';

/** Sizes that stand in for free dimensions when nothing else is known. */
const FREE_IMAGE_SIDE = 320;
const FREE_LENGTH = 16;

/**
 * Inputs to measure with: seeded noise in [-1, 1) for floats, zeros and ones for integers (valid as ids and masks).
 * Free dimensions: 1 for the first, 320 for image sides, else 16.
 * @throws SluiceError `unsupported` for an input that is larger than any memory.
 */
export function nominalInputs(specs: readonly TensorSpec[], seed: number): HostTensors {
  const random = seededRandom(seed);
  return new Map(
    specs.map((spec): [string, HostTensor] => {
      const dims = spec.shape.map((dim, axis) => {
        if (dim >= 0) return dim;
        if (axis === 0) return 1;
        return spec.shape.length === 4 ? FREE_IMAGE_SIDE : FREE_LENGTH;
      });
      const bytes = fill(allocate(spec.name, spec.dtype, dims), spec.dtype, random);
      return [spec.name, { dtype: spec.dtype, dims, bytes }];
    }),
  );
}

/** @throws SluiceError `unsupported` for a tensor that no memory holds. */
function allocate(name: string, dtype: string, dims: readonly number[]): Uint8Array {
  const byteLength = tensorByteLength(dtype, dims) ?? 0;
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    throw new SluiceError(
      'unsupported',
      `Input ${name} of shape [${dims.join(', ')}] takes ${byteLength} bytes, more than can be held in memory.`,
      { input: name, byteLength },
      { cause },
    );
  }
}

function fill(bytes: Uint8Array, dtype: string, random: () => number): Uint8Array {
  const size = Math.max(1, elementBytes(dtypeCodeOf(dtype) ?? 0));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.byteLength; at += size) {
    if (dtype === 'float32') view.setFloat32(at, random() * 2 - 1, true);
    else if (dtype === 'float64') view.setFloat64(at, random() * 2 - 1, true);
    // 16-bit floats between 1/4 and 1/2, by their exponent bits.
    else if (dtype === 'float16') view.setUint16(at, 0x3400 + Math.floor(random() * 0x400), true);
    else if (dtype === 'bfloat16') view.setUint16(at, 0x3e80 + Math.floor(random() * 0x80), true);
    else bytes[at] = random() < 0.5 ? 0 : 1;
  }
  return bytes;
}
