import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from '../contract';
import { DataType, checkModel, decodeModel, encodeModel, makeNode, makeTensor, makeValueInfo } from './index';
import type { Attribute, OnnxGraph, OnnxModel, OnnxTensor } from './index';

const inner: OnnxGraph = {
  name: 'then',
  nodes: [makeNode('Mul', ['x', 'k'], ['z'])],
  inputs: [],
  outputs: [makeValueInfo('z', DataType.float32)],
  initializers: [makeTensor('k', DataType.float32, [1], Float32Array.of(2))],
  valueInfo: [],
};
const labels: OnnxTensor = {
  name: 'labels',
  dtype: DataType.string,
  dims: [2],
  data: { kind: 'strings', values: [Uint8Array.of(97), new Uint8Array(0)] },
};
const sample: OnnxModel = {
  irVersion: 10,
  producerName: 'fuzz',
  opsets: [
    { domain: '', version: 21 },
    { domain: 'com.microsoft', version: 1 },
  ],
  functions: [Uint8Array.of(10, 1, 102)],
  metadata: new Map([['author', 'Ö']]),
  graph: {
    name: 'g',
    nodes: [
      makeNode('If', ['c'], ['y'], { then_branch: inner, else_branch: inner }),
      makeNode('Any', ['y', '', 'w'], ['v'], {
        floats: [1, 2.5],
        ints: [1n, -1n],
        names: ['a', ''],
        t: labels,
      }),
    ],
    inputs: [makeValueInfo('c', DataType.bool, []), makeValueInfo('x', DataType.float32, ['n', 3, ''])],
    outputs: [makeValueInfo('v', DataType.float32)],
    initializers: [makeTensor('w', DataType.int4, [3], Uint8Array.of(0x21, 0x03)), labels],
    valueInfo: [],
  },
};
const sampleBytes = encodeModel(sample);

/** Anything but a SluiceError is a bug; a model that decodes must also survive the check and another round. */
function survive(bytes: Uint8Array): void {
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SluiceError);
    return;
  }
  checkModel(model);
  expect(decodeModel(encodeModel(model))).toEqual(model);
}

const mutation = fc.record({
  at: fc.nat({ max: sampleBytes.length - 1 }),
  remove: fc.nat({ max: 4 }),
  insert: fc.uint8Array({ maxLength: 6 }),
});

describe('damaged models', () => {
  it('decode or fail with a SluiceError after random edits', () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        let bytes: Uint8Array = sampleBytes;
        for (const { at, remove, insert } of mutations) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        }
        survive(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('decode or fail with a SluiceError when one byte differs', () => {
    for (let at = 0; at < sampleBytes.length; at += 1) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const bytes = sampleBytes.slice();
        bytes[at] = value;
        survive(bytes);
      }
    }
  });

  it('fail at every length short of the whole', () => {
    for (let length = 0; length < sampleBytes.length; length += 1) {
      expect(() => decodeModel(sampleBytes.subarray(0, length))).toThrow(SluiceError);
    }
  });

  it('survive arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survive), { numRuns: 2000 });
  });
});

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const float32 = fc.float({ noNaN: true });
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.record({ name: text, type: fc.constant('int' as const), value: int64 }),
  fc.record({ name: text, type: fc.constant('float' as const), value: float32 }),
  fc.record({ name: text, type: fc.constant('string' as const), value: fc.uint8Array() }),
  fc.record({ name: text, type: fc.constant('ints' as const), value: fc.array(int64) }),
  fc.record({ name: text, type: fc.constant('floats' as const), value: fc.array(float32) }),
  fc.record({ name: text, type: fc.constant('strings' as const), value: fc.array(fc.uint8Array()) }),
  fc.record({ name: text, type: fc.constant('tensor' as const), value: fc.constant(labels) }),
  fc.record({ name: text, type: fc.constant('tensors' as const), value: fc.constant([labels, labels]) }),
  fc.record({ name: text, type: fc.constant('graph' as const), value: fc.constant(inner) }),
  fc.record({ name: text, type: fc.constant('graphs' as const), value: fc.constant([inner]) }),
);

describe('encoding', () => {
  it('gives back any attributes, names, opsets and metadata', () => {
    fc.assert(
      fc.property(
        fc.array(attribute),
        fc.array(text),
        fc.dictionary(text, text),
        (attributes, names, entries) => {
          const node = { ...makeNode('Any', names, names), attributes };
          const model: OnnxModel = {
            ...sample,
            metadata: new Map(Object.entries(entries)),
            graph: { ...sample.graph, nodes: [node] },
          };
          expect(decodeModel(encodeModel(model))).toEqual(model);
        },
      ),
    );
  });

  it('keeps what it does not look into', () => {
    const extra = Uint8Array.of(0x32, 2, 104, 105);
    const raw: Attribute = { name: 'tp', type: 'raw', value: Uint8Array.of(10, 2, 116, 112, 114, 0) };
    const node = { ...makeNode('Optional', [], ['o']), attributes: [raw], extra };
    const sequence = { name: 's', rawType: Uint8Array.of(0x22, 0), extra: Uint8Array.of(0x1a, 1, 100) };
    const model: OnnxModel = {
      ...sample,
      graph: { ...sample.graph, nodes: [node], inputs: [sequence], extra: Uint8Array.of(0x52, 1, 103) },
      extra: Uint8Array.of(0x28, 7),
    };
    expect(decodeModel(encodeModel(model))).toEqual(model);
  });
});
