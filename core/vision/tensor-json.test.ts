import { describe, expect, it } from 'vitest';
import { SluiceError } from '../contract';
import type { TensorSpec } from '../contract';
import { parseNpy } from './npy';
import { checkTensors, parseTensorJson } from './tensor-json';

const specs: readonly TensorSpec[] = [
  { name: 'ids', dtype: 'int64', shape: [1, -1] },
  { name: 'mask', dtype: 'bool', shape: [2] },
  { name: 'x', dtype: 'float32', shape: [2, 2] },
];
const good = {
  ids: { shape: [1, 3], data: [1, -2, '9007199254740993'] },
  mask: { shape: [2], data: [true, 0] },
  x: { shape: [2, 2], data: [1, 2, 3, 4.5], dtype: 'float32' },
};

function faultsOf(input: unknown): string {
  try {
    parseTensorJson(typeof input === 'string' ? input : JSON.stringify(input), specs);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'bad-input') return error.message;
    throw error;
  }
  return 'accepted';
}

describe('parseTensorJson', () => {
  it('reads every dtype exactly', () => {
    const tensors = parseTensorJson(JSON.stringify(good), specs);
    expect(tensors.get('ids')?.data).toEqual(BigInt64Array.of(1n, -2n, 9007199254740993n));
    expect(tensors.get('mask')).toEqual({ dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) });
    expect(tensors.get('x')?.data).toEqual(Float32Array.of(1, 2, 3, 4.5));
  });

  it('lists all faults at once', () => {
    const message = faultsOf({
      ids: { shape: [1, 2], data: [1, 2, 3] },
      x: { shape: [4], data: [1, 2, 3, 4], dtype: 'float64' },
      y: { shape: [1], data: [1] },
    });
    expect(message).toMatch(/5 faults/);
    expect(message).toContain('input "mask" is missing');
    expect(message).toContain('"y" is no input of this model; expected "ids", "mask", "x"');
    expect(message).toContain('input "ids": shape [1, 2] needs 2 values, found 3 in "data"');
    expect(message).toContain('input "x": expected shape [2, 2], found [4]');
    expect(message).toContain('input "x": expected dtype float32, found float64');
  });

  it.each([
    ['not JSON', '{"ids": ', /not JSON .*Expected \{"ids": \{"shape": \[1, -1\]/],
    ['an array', [], /input: .*expected record/i],
    ['no shape', { ...good, x: { data: [1] } }, /x\.shape: /],
    ['a nested list', { ...good, x: { shape: [2, 2], data: [[1, 2]] } }, /x\.data\.0: /],
    [
      'a fraction for int64',
      { ...good, ids: { shape: [1, 1], data: [1.5] } },
      /data\[0\]: expected a whole number from -\d+ to \d+ \(int64.*found 1\.5/,
    ],
    [
      'an unsafe integer',
      { ...good, ids: { shape: [1, 1], data: [2 ** 60] } },
      /past 2\^53 as a string\), found 1152921504606847000/,
    ],
    [
      '2 for bool',
      { ...good, mask: { shape: [2], data: [1, 2] } },
      /data\[1\]: expected true, false, 0 or 1, found 2/,
    ],
    [
      'a string for float32',
      { ...good, x: { shape: [2, 2], data: [1, 2, 3, '4'] } },
      /data\[3\]: expected a number \(float32\), found "4"/,
    ],
    ['a negative dimension', { ...good, x: { shape: [-2, -2], data: [1, 2, 3, 4] } }, /x\.shape\.0: /],
  ])('refuses %s', (_name, input, message) => expect(faultsOf(input)).toMatch(message));

  it('keeps the list short when every value is wrong', () => {
    const message = faultsOf({ ...good, x: { shape: [500], data: Array(500).fill(null) } });
    expect(message).toContain('and 480 more like these');
  });
});

/** Files written by numpy.save of NumPy 2. */
const NPY = {
  float32:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAQEAAAIBAAACgQAAAwEA=',
  int64:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAEAAP//////////',
  fortran:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AACAPwAAgD8AAIA/AACAPwAAgD8=',
  complex:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGM4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AAAAAAAAgD8AAAAA',
};
const file = (text: string): Uint8Array => Buffer.from(text, 'base64');

describe('parseNpy', () => {
  it('reads what NumPy writes', () => {
    const floats = parseNpy(file(NPY.float32), 'a.npy');
    expect(floats).toEqual({ dtype: 'float32', shape: [2, 3], data: Float32Array.of(1.5, -2, 3, 4, 5, 6) });
    expect(parseNpy(file(NPY.int64), 'b.npy').data).toEqual(BigInt64Array.of(2n ** 40n, -1n));
  });

  it.each([
    ['Fortran order', file(NPY.fortran), /a\.npy: the array is in Fortran order/],
    ['complex numbers', file(NPY.complex), /dtype <c8 is not supported/],
    [
      'a cut-off file',
      file(NPY.float32).subarray(0, 140),
      /shape \[2, 3\] of float32 needs 24 bytes, found 12/,
    ],
    ['a cut-off header', file(NPY.float32).subarray(0, 60), /header is damaged or cut off/],
    ['anything else', Buffer.from('PK\x03\x04 a zip file'), /not a \.npy file/],
  ])('refuses %s', (_name, bytes, message) => expect(() => parseNpy(bytes, 'a.npy')).toThrow(message));

  it('is checked against the model like JSON', () => {
    const tensors = new Map([['x', parseNpy(file(NPY.float32), 'a.npy')]]);
    expect(() => checkTensors(tensors, [{ name: 'x', dtype: 'float32', shape: [-1, 3] }])).not.toThrow();
    expect(() => checkTensors(tensors, [{ name: 'x', dtype: 'int64', shape: [2, 2] }])).toThrow(
      /2 faults[^]*expected dtype int64, found float32[^]*expected shape \[2, 2\], found \[2, 3\]/,
    );
  });
});
