import fc from 'fast-check';

/** Where lengths, counts and offsets stand: what they are made of. */
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

type Edit = (bytes: Uint8Array) => Uint8Array;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (bytes: Uint8Array, part: number): number => Math.floor(part * bytes.byteLength);

function put(bytes: Uint8Array, offset: number, what: Uint8Array, removed = what.byteLength): Uint8Array {
  return Buffer.concat([bytes.subarray(0, offset), what, bytes.subarray(offset + removed)]);
}

function littleEndian(value: number, width: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return width > 4 && value === 2 ** 32 - 1 ? Buffer.alloc(8, 0xff) : bytes.subarray(0, width);
}

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([part, bit]): Edit => (bytes) => {
    const copy = Uint8Array.from(bytes);
    if (copy.byteLength > 0) copy[at(copy, part)] = (copy[at(copy, part)] ?? 0) ^ (1 << bit);
    return copy;
  }),
  fc.tuple(place, fc.constantFrom(...NUMBERS), fc.constantFrom(1, 2, 4, 8)).map(
    ([part, value, width]): Edit =>
      (bytes) =>
        put(bytes, at(bytes, part), littleEndian(value, width)),
  ),
  fc.tuple(place, fc.nat(6), fc.uint8Array({ maxLength: 6 })).map(
    ([part, removed, what]): Edit =>
      (bytes) =>
        put(bytes, at(bytes, part), what, removed),
  ),
  place.map(
    (part): Edit =>
      (bytes) =>
        bytes.subarray(0, at(bytes, part)),
  ),
  // A part of it again, elsewhere.
  fc.tuple(place, place, fc.nat(64)).map(
    ([from, to, length]): Edit =>
      (bytes) =>
        put(bytes, at(bytes, to), bytes.subarray(at(bytes, from), at(bytes, from) + length), 0),
  ),
);

/** A number of a text becomes another. */
const textEdit: fc.Arbitrary<Edit> = fc
  .tuple(
    fc.nat(200),
    fc.constantFrom('-1', '1e308', '0', '9007199254740993', 'null', '[]', '"x"', '1e9', '{}'),
  )
  .map(([which, what]): Edit => (bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const numbers = [...text.matchAll(/(?<=[:,[]\s*)-?\d[\d.eE+-]*|"[^"]{0,40}"(?=\s*[,}\]])/g)];
    const found = numbers[which % Math.max(1, numbers.length)];
    return found === undefined ? bytes : put(bytes, found.index, Buffer.from(what), found[0].length);
  });

/** A sound file of which one to four places are damaged: bits, numbers, lengths, cuts, repeats. */
export function damaged(sound: Uint8Array, kind: 'binary' | 'text' = 'binary'): fc.Arbitrary<Uint8Array> {
  const one = kind === 'text' ? fc.oneof({ weight: 3, arbitrary: textEdit }, edit) : edit;
  return fc
    .array(one, { minLength: 1, maxLength: 4 })
    .map((edits) => edits.reduce((bytes, change) => change(bytes), sound));
}
