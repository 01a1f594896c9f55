import { numberToFloat16, seededRandom } from '../base';
import type { Random } from '../base';
import { SluiceError } from '../contract';
import type { TensorSpec } from '../contract';
import { allocateElements, elementCount, isTensorDtype } from './tensor';
import type { Tensor, TensorDtype } from './tensor';

/**
 * Seeded noise for each input: floats uniform in [-1, 1), uint8 uniform in 0 to 255 (an image), other integers and
 * booleans 0 or 1 (valid as masks and as indices into any table of two rows). The same seed gives the same values.
 * @param freeDim what dimensions of -1 become; default 1.
 * @throws SluiceError `unsupported` for an input without numbers (strings and the like).
 */
export function makeRandomInputs(
  specs: readonly TensorSpec[],
  seed: number,
  freeDim = 1,
): ReadonlyMap<string, Tensor> {
  const random = seededRandom(seed);
  return new Map(
    specs.map(({ name, dtype, shape }) => {
      if (!isTensorDtype(dtype)) {
        throw new SluiceError(
          'unsupported',
          `Input "${name}" is ${dtype}: random input can only be numbers.`,
          { name },
        );
      }
      const dims = shape.map((dim) => (dim === -1 ? freeDim : dim));
      return [name, randomTensor(dtype, dims, random)];
    }),
  );
}

function randomTensor(dtype: TensorDtype, shape: readonly number[], random: Random): Tensor {
  const data = allocateElements(dtype, elementCount(shape));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i += 1) data[i] = random() < 0.5 ? 0n : 1n;
  } else {
    for (let i = 0; i < data.length; i += 1) data[i] = randomElement(dtype, random());
  }
  return { dtype, shape, data };
}

/** @param uniform in [0, 1). */
function randomElement(dtype: TensorDtype, uniform: number): number {
  if (dtype === 'float32' || dtype === 'float64') return uniform * 2 - 1;
  if (dtype === 'float16') return numberToFloat16(uniform * 2 - 1);
  if (dtype === 'uint8') return Math.floor(uniform * 256);
  return uniform < 0.5 ? 0 : 1;
}
