import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from './errors';
import { decodeWire, encodeWire } from './wire';

const scalar = fc.oneof(
  fc.boolean(),
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.string({ unit: 'grapheme' }),
);
const typedArray = fc.oneof(
  fc.float32Array(),
  fc.float64Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.uint16Array(),
  fc.uint8Array(),
);
const { message } = fc.letrec((tie) => ({
  message: fc.oneof(
    { depthSize: 'small' },
    scalar,
    typedArray,
    fc.array(tie('message'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      tie('message'),
      {
        maxKeys: 5,
        noNullPrototype: true,
      },
    ),
  ),
}));

describe('wire codec', () => {
  it('gives back any message of the contract’s value types', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeWire(encodeWire(value))).toEqual(value);
      }),
    );
  });

  it('keeps NaN and infinities in typed arrays, bit for bit', () => {
    const sent = Float32Array.of(Number.NaN, Infinity, -0, 1.5);
    const received = decodeWire(encodeWire({ payload: sent })) as { payload: Float32Array };
    expect(received.payload).toBeInstanceOf(Float32Array);
    expect([...new Uint32Array(received.payload.buffer)]).toEqual([...new Uint32Array(sent.buffer)]);
  });

  it('sends only the viewed part of a larger buffer', () => {
    const part = new Float64Array(Float64Array.of(1, 2, 3, 4).buffer, 8, 2);
    expect(decodeWire(encodeWire(part))).toEqual(Float64Array.of(2, 3));
  });

  it('decodes frames at odd offsets, and subclasses such as Node’s Buffer, to plain Uint8Arrays', () => {
    const frame = encodeWire({ bytes: Uint8Array.of(1, 2, 3), times: Float64Array.of(0.5) });
    const shifted = new Uint8Array(frame.byteLength + 3);
    shifted.set(frame, 3);
    class NodeLikeBuffer extends Uint8Array {}
    const fromBuffer = decodeWire(new NodeLikeBuffer(shifted.buffer, 3)) as {
      bytes: Uint8Array;
      times: Float64Array;
    };
    expect(Object.getPrototypeOf(fromBuffer.bytes)).toBe(Uint8Array.prototype);
    expect(fromBuffer.times).toEqual(Float64Array.of(0.5));
  });

  it('leaves out undefined keys, as an absent optional field', () => {
    expect(decodeWire(encodeWire({ id: 1, name: undefined }))).toEqual({ id: 1 });
  });

  it.each([
    ['an empty frame', new Uint8Array(0), /frame of 0 bytes/],
    ['a frame cut short', encodeWire({ name: 'abcdefgh' }).subarray(0, 6), /expected one MessagePack value/],
    ['two values in one frame', Uint8Array.of(0x01, 0x02), /expected one MessagePack value/],
    [
      'a torn typed array',
      Uint8Array.of(0xd5, 0x01, 0x00, 0x00),
      /Float32Array must hold a multiple of 4 bytes/,
    ],
  ])('refuses %s', (_name, frame, expected) => {
    expect(() => decodeWire(frame)).toThrow(SluiceError);
    expect(() => decodeWire(frame)).toThrow(expected);
  });
});
