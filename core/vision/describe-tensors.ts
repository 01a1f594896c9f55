import type { RunResult } from '../contract';
import { asFloats } from './tensor';
import type { Tensor } from './tensor';

export type TensorsResult = Extract<RunResult, { kind: 'tensors' }>;

/** Values shown of each tensor. */
const HEAD_LENGTH = 16;

/** Figures of each output: range and mean over all values (0 for an empty tensor), and the first values. */
export function describeTensors(outputs: ReadonlyMap<string, Tensor>): TensorsResult {
  const described = [...outputs].map(([name, tensor]) => {
    const values = asFloats(tensor);
    let min = Infinity;
    let max = -Infinity;
    let sum = 0;
    for (const value of values) {
      // NaN spreads through all three on purpose: a broken output must show.
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
    const empty = values.length === 0;
    return {
      name,
      dtype: tensor.dtype,
      shape: [...tensor.shape],
      min: empty ? 0 : min,
      max: empty ? 0 : max,
      mean: empty ? 0 : sum / values.length,
      head: Array.from(values.subarray(0, HEAD_LENGTH)),
    };
  });
  return { kind: 'tensors', outputs: described };
}
