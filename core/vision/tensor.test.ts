import { describe, expect, it } from 'vitest';
import { describeTensors } from './describe-tensors';
import { makeRandomInputs } from './random-inputs';
import { asFloats, elementsFromBytes } from './tensor';
import type { Tensor } from './tensor';

describe('describeTensors', () => {
  it('gives range, mean and the first values', () => {
    const outputs = new Map<string, Tensor>([
      ['a', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, -3, 2, 4) }],
      ['b', { dtype: 'int64', shape: [1], data: BigInt64Array.of(7n) }],
      ['c', { dtype: 'float16', shape: [0], data: new Uint16Array(0) }],
      ['d', { dtype: 'float32', shape: [2], data: Float32Array.of(1, NaN) }],
    ]);
    const [a, b, c, d] = describeTensors(outputs).outputs;
    expect(a).toEqual({
      name: 'a',
      dtype: 'float32',
      shape: [2, 2],
      min: -3,
      max: 4,
      mean: 1,
      head: [1, -3, 2, 4],
    });
    expect(b).toMatchObject({ min: 7, max: 7, mean: 7, head: [7] });
    expect(c).toMatchObject({ min: 0, max: 0, mean: 0, head: [] });
    expect(d?.mean).toBeNaN();
  });
});

describe('makeRandomInputs', () => {
  const specs = [
    { name: 'x', dtype: 'float32', shape: [-1, 3, -1] },
    { name: 'ids', dtype: 'int64', shape: [-1] },
    { name: 'pixels', dtype: 'uint8', shape: [100] },
    { name: 'half', dtype: 'float16', shape: [50] },
  ];

  it('is the same for a seed, other for another, and fills free dimensions', () => {
    const inputs = makeRandomInputs(specs, 7, 4);
    expect(inputs).toEqual(makeRandomInputs(specs, 7, 4));
    expect(inputs).not.toEqual(makeRandomInputs(specs, 8, 4));
    expect(inputs.get('x')?.shape).toEqual([4, 3, 4]);
    expect(makeRandomInputs(specs, 7).get('x')?.data).toHaveLength(3);
  });

  it('stays in range', () => {
    const inputs = makeRandomInputs(specs, 1, 40);
    for (const name of ['x', 'half']) {
      const tensor = inputs.get(name);
      expect(tensor && asFloats(tensor).every((value) => value >= -1 && value <= 1)).toBe(true);
    }
    expect([...(inputs.get('ids')?.data ?? [])].every((value) => value === 0n || value === 1n)).toBe(true);
    expect(() => makeRandomInputs([{ name: 's', dtype: 'string', shape: [1] }], 1)).toThrow(/"s" is string/);
  });
});

it('elementsFromBytes takes bytes at any offset', () => {
  const bytes = new Uint8Array([9, 0, 0, 128, 63]).subarray(1);
  expect(elementsFromBytes('float32', bytes)).toEqual(Float32Array.of(1));
});
