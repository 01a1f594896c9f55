import { describe, expect, it } from 'vitest';
import { DataType } from '../onnx';
import { seededChunks, seededTensor } from './seeded-tensor';
import type { SeededTensor } from './seeded-tensor';

const SPEC = { name: 'w', dtype: DataType.float32, dims: [700, 1000], fill: { mean: 2, std: 0.5 }, seed: 7 };

function floats(tensor: SeededTensor): Float32Array {
  if (tensor.data.kind !== 'inline') throw new Error('seeded tensors generate inline data');
  return new Float32Array(tensor.data.bytes.buffer);
}

describe('seeded tensor', () => {
  it('has the mean and deviation asked for, and no value beyond sqrt(3) deviations', () => {
    const values = floats(seededTensor(SPEC));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(2, 2);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2);
    expect(Math.max(...values.subarray(0, 9999))).toBeLessThanOrEqual(2 + 0.5 * Math.sqrt(3));
  });

  it('depends on name and seed alone', () => {
    const first = floats(seededTensor(SPEC)).slice(0, 64);
    expect(floats(seededTensor(SPEC)).slice(0, 64)).toEqual(first);
    expect(floats(seededTensor({ ...SPEC, seed: 8 })).slice(0, 64)).not.toEqual(first);
    expect(floats(seededTensor({ ...SPEC, name: 'v' })).slice(0, 64)).not.toEqual(first);
  });

  it('gives the same bytes in chunks of at most 2 MiB', () => {
    const tensor = seededTensor(SPEC);
    const chunks = [...seededChunks(tensor)].map((chunk) => chunk.byteLength);
    expect(chunks.length).toBeGreaterThan(1);
    expect(Math.max(...chunks)).toBeLessThanOrEqual(2 ** 21);
    expect(chunks.reduce((sum, bytes) => sum + bytes, 0)).toBe(2_800_000);
  });
});
