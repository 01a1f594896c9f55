import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { joinBytesElements } from './bytes-elements';
import { DATATYPES, datatypeBytes } from './datatype';
import type { Datatype } from './datatype';
import { readFrame, readTensors, soundTensor, tensorFaults, writeFrame } from './frame';
import { decodeJsonData, jsonData } from './json-data';
import { parseMessage, inferRequestSchema } from './schemas';
import { elementCountOf } from './tensor';
import type { OipTensor } from './tensor';

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** Any bytes are a tensor, except that BOOL is 0 or 1 and that a NaN's payload is not kept by JSON. */
function tensors(isJson: boolean): fc.Arbitrary<OipTensor> {
  return fc
    .tuple(fc.constantFrom(...DATATYPES), shapes, fc.string({ maxLength: 5 }))
    .chain(([datatype, shape, name]) => {
      const count = elementCountOf(shape);
      return bytesOf(datatype, count, isJson).map((bytes) => ({ name, datatype, shape, bytes }));
    });
}

function bytesOf(datatype: Datatype, count: number, isJson: boolean): fc.Arbitrary<Uint8Array> {
  const exactly = { minLength: count, maxLength: count };
  if (datatype === 'BYTES') {
    const text = fc.string({ unit: 'binary' }).map((value) => new TextEncoder().encode(value));
    const element = isJson ? text : fc.uint8Array({ maxLength: 20 });
    return fc.array(element, exactly).map(joinBytesElements);
  }
  if (datatype === 'BOOL')
    return fc.array(fc.constantFrom(0, 1), exactly).map((bits) => Uint8Array.from(bits));
  const size = count * datatypeBytes(datatype);
  const bytes = fc.uint8Array({ minLength: size, maxLength: size });
  return isJson ? bytes.map((any) => withPlainNaN(datatype, any)) : bytes;
}

/** Every NaN becomes the one that JSON's "NaN" is read as. */
function withPlainNaN(datatype: Datatype, bytes: Uint8Array): Uint8Array {
  if (!['FP16', 'BF16', 'FP32', 'FP64'].includes(datatype)) return bytes;
  const tensor = { name: '', datatype, shape: [bytes.byteLength / datatypeBytes(datatype)], bytes };
  const decoded = decodeJsonData(datatype, tensor.shape, JSON.parse(jsonData(tensor)));
  if ('fault' in decoded) throw new Error(decoded.fault);
  return decoded.bytes;
}

function roundTrip(sent: readonly OipTensor[], isBinary: (name: string) => boolean): readonly OipTensor[] {
  const { body, jsonBytes } = writeFrame({ id: 'one' }, 'inputs', sent, isBinary);
  const { json, tail } = readFrame('The body', body, jsonBytes?.toString());
  const { inputs } = parseMessage('The request', inferRequestSchema, json);
  const read = readTensors(inputs, tail);
  expect(read.faults).toEqual([]);
  expect(read.tensors.flatMap(tensorFaults)).toEqual([]);
  return read.tensors.map(soundTensor).map((tensor) => ({ ...tensor, bytes: Uint8Array.from(tensor.bytes) }));
}

describe('any tensors', () => {
  it('go through JSON and come back bit for bit', () => {
    fc.assert(
      fc.property(fc.array(tensors(true), { maxLength: 3 }), (sent) => {
        expect(roundTrip(sent, () => false)).toEqual(sent);
      }),
      { numRuns: 300 },
    );
  });

  it('go through the binary extension, JSON and binary mixed', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(tensors(false), { maxLength: 3, selector: ({ name }) => name }),
        fc.array(tensors(true), { maxLength: 2 }),
        (binary, others) => {
          const names = new Set(binary.map(({ name }) => name));
          const sent = [...binary, ...others.filter(({ name }) => !names.has(name))];
          expect(roundTrip(sent, (name) => names.has(name))).toEqual(sent);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** [datatype, shape, JSON text of the data, what the fault says] */
const BAD_DATA: readonly (readonly [Datatype, readonly number[], string, RegExp])[] = [
  ['FP32', [2], '[1]', /takes 2 elements, found 1/],
  ['FP32', [1], '[1, 2]', /takes 1 elements, found 2/],
  ['FP32', [1], '1', /expected an array, found number/],
  ['FP32', [1], 'null', /expected an array, found null/],
  ['FP32', [1], '["one"]', /element 0: expected a number .*found "one"/],
  ['FP32', [1], '["constructor"]', /found "constructor"/],
  ['FP32', [1], '[1e39]', /in range/],
  ['FP64', [1], '[1e999]', /in range/],
  ['FP16', [1], '[65520]', /in range/],
  ['FP32', [2], '[1, null]', /element 1: .*found null/],
  ['FP32', [1], '[{}]', /found object/],
  ['BOOL', [1], '[1]', /expected true or false/],
  ['UINT8', [1], '[256]', /from 0 to 255/],
  ['INT8', [1], '[1.5]', /from -128 to 127/],
  ['INT32', [1], '[2147483648]', /from -2147483648/],
  ['INT64', [1], '[9223372036854775808]', /from -9223372036854775808/],
  ['INT64', [1], '[9007199254740993.0]', /from -9223372036854775808/],
  ['UINT64', [1], '[-1]', /from 0/],
  ['BYTES', [1], '[1]', /expected a string/],
  ['FP32', [1], '['.repeat(40) + '1' + ']'.repeat(40), /nested deeper/],
];

describe('JSON data', () => {
  it.each(BAD_DATA)('%s %j of %s is refused', (datatype, shape, text, message) => {
    const body = Buffer.from(
      `{"inputs":[{"name":"x","datatype":"${datatype}","shape":${JSON.stringify(shape)},"data":${text}}]}`,
    );
    const { json } = readFrame('The body', body, undefined);
    const { inputs } = parseMessage('The request', inferRequestSchema, json);
    expect(readTensors(inputs, new Uint8Array(0)).tensors.flatMap(tensorFaults)).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it('may be nested like the shape, and long integers keep every digit', () => {
    const text =
      '{"inputs":[{"name":"a \\" 12345678901234567","datatype":"INT64","shape":[2,1],' +
      '"data":[[9223372036854775807],[-9007199254740993]]}]}';
    const { json } = readFrame('The body', Buffer.from(text), undefined);
    const { inputs } = parseMessage('The request', inferRequestSchema, json);
    const [tensor] = readTensors(inputs, new Uint8Array(0)).tensors.map(soundTensor);
    expect(tensor?.name).toBe('a " 12345678901234567');
    expect([...new BigInt64Array(Uint8Array.from(tensor!.bytes).buffer)]).toEqual([
      9223372036854775807n,
      -9007199254740993n,
    ]);
  });

  it('BYTES that are no text have no JSON form', () => {
    const tensor: OipTensor = {
      name: 'raw',
      datatype: 'BYTES',
      shape: [2],
      bytes: joinBytesElements([Uint8Array.of(65), Uint8Array.of(0xff)]),
    };
    expect(() => jsonData(tensor)).toThrow(/"raw": element 1 is not UTF-8/);
  });
});
