import { describe, expect, it } from 'vitest';
import { DataType } from '../onnx';
import { canEncode, elementEncoding, halfBits } from './element-encoding';

describe('element encoding', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.9, 0x7bff],
    [65520, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [Infinity, 0x7c00],
    [NaN, 0x7e00],
  ])('rounds %f to the half %i', (value, bits) => {
    expect(halfBits(value)).toBe(bits);
  });

  it('writes little-endian elements of the type', () => {
    const bytes = new Uint8Array(4);
    elementEncoding(DataType.bfloat16).encode(Float32Array.of(1, -2), bytes);
    expect([...bytes]).toEqual([0x80, 0x3f, 0x00, 0xc0]);
    const signed = new Uint8Array(2);
    elementEncoding(DataType.int8).encode(Float32Array.of(-3.7, 5.2), signed);
    expect([...signed]).toEqual([0xfd, 5]);
  });

  it('refuses types it has no numbers for', () => {
    expect(canEncode(DataType.string)).toBe(false);
    expect(() => elementEncoding(DataType.string)).toThrow(/string.*expected one of float32/);
  });
});
