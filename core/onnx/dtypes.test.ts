import { describe, expect, it } from 'vitest';

import { DataType, dtypeFromName, dtypeName, makeTensor, tensorBytes } from './index';

describe('dtypes', () => {
  it.each([
    [DataType.float32, [2, 3], 24],
    [DataType.int64, [], 8],
    [DataType.bool, [5], 5],
    [DataType.bfloat16, [3], 6],
    [DataType.complex128, [2], 32],
    [DataType.int4, [3], 2],
    [DataType.uint4, [2, 2], 2],
    [DataType.uint2, [5], 2],
    [DataType.float32, [0, 2 ** 50, 2 ** 50], 0],
  ])('%s of shape %j takes %d bytes', (dtype, dims, bytes) => {
    expect(tensorBytes(dtype, dims)).toBe(bytes);
  });

  it('refuses shapes and dtypes without a size', () => {
    expect(() => tensorBytes(DataType.float32, [1, -1])).toThrow(/expected sizes of 0 or more, found -1/);
    expect(() => tensorBytes(DataType.float64, [2 ** 52])).toThrow(/more than 2\^53 bytes/);
    expect(() => tensorBytes(DataType.string, [1])).toThrow(/a string tensor has no fixed size/);
    expect(() => makeTensor('w', DataType.int8, [3], new Uint8Array(2))).toThrow(
      /tensor 'w': expected 3 bytes for shape \[3\] of int8, found 2/,
    );
  });

  it('names every dtype and finds it again', () => {
    expect(dtypeName(DataType.float8e4m3fn)).toBe('float8e4m3fn');
    for (const value of Object.values(DataType)) {
      if (typeof value === 'number') expect(dtypeFromName(dtypeName(value))).toBe(value);
    }
    expect(dtypeFromName('float33')).toBeUndefined();
    // The enum also maps numbers to names; those are not dtype names.
    expect(dtypeFromName('1')).toBeUndefined();
  });
});
