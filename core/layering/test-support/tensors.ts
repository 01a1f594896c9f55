import { expect } from 'vitest';
import { seededRandom } from '../../base';
import type { TensorSpec } from '../../contract';
import { nominalInputs } from '../nominal-inputs';
import type { HostTensor, HostTensors } from '../tensors';

/** Seeded inputs; free dimensions take `free` in order, integers lie in [0, 100). */
export function inputsFor(
  specs: readonly TensorSpec[],
  seed: number,
  free: readonly number[] = [],
): HostTensors {
  let next = 0;
  const fixed = specs.map((spec) => ({
    ...spec,
    shape: spec.shape.map((dim) => (dim < 0 ? (free[next++ % Math.max(1, free.length)] ?? 1) : dim)),
  }));
  const random = seededRandom(seed);
  return new Map(
    [...nominalInputs(fixed, seed)].map(([name, tensor]) => {
      if (tensor.dtype !== 'int64') return [name, tensor];
      const ids = BigInt64Array.from({ length: tensor.bytes.byteLength / 8 }, () =>
        BigInt(Math.floor(random() * 100)),
      );
      return [name, { ...tensor, bytes: new Uint8Array(ids.buffer) }];
    }),
  );
}

/** Elements as numbers, for the element types that tests compare. */
export function numbersOf(tensor: HostTensor): number[] {
  const { buffer } = Uint8Array.from(tensor.bytes);
  switch (tensor.dtype) {
    case 'float32':
      return [...new Float32Array(buffer)];
    case 'int64':
      return [...new BigInt64Array(buffer)].map(Number);
    case 'int32':
      return [...new Int32Array(buffer)];
    case 'uint8':
    case 'bool':
      return [...new Uint8Array(buffer)];
    case 'int8':
      return [...new Int8Array(buffer)];
    default:
      throw new Error(`Tests don't compare ${tensor.dtype}.`);
  }
}

/** Same names, types, shapes and every bit. */
export function expectSameBits(actual: HostTensors, expected: HostTensors): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, want] of expected) {
    const got = actual.get(name);
    expect({ dtype: got?.dtype, dims: got?.dims }, name).toEqual({ dtype: want.dtype, dims: want.dims });
    expect(Buffer.compare(got?.bytes ?? new Uint8Array(0), want.bytes), `${name} differs`).toBe(0);
  }
}

/** Within a relative tolerance; what is near zero is measured against the largest element. */
export function expectClose(actual: HostTensors, expected: HostTensors, rtol = 1e-3): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, want] of expected) {
    const got = actual.get(name);
    expect({ dtype: got?.dtype, dims: got?.dims }, name).toEqual({ dtype: want.dtype, dims: want.dims });
    if (got === undefined) continue;
    const [values, wanted] = [numbersOf(got), numbersOf(want)];
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = values.reduce((most, value, at) => {
      const target = wanted[at] ?? Number.NaN;
      return Math.max(most, Math.abs(value - target) / (Math.abs(target) + 0.01 * largest + 1e-30));
    }, 0);
    expect(worst, `${name}: relative difference`).toBeLessThanOrEqual(rtol);
  }
}
