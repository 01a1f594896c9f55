import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError } from '../contract';
import { DataType, makeNode, makeTensor, makeValueInfo } from './index';
import { decodeModel, encodeModel, readModel } from './index';
import type { OnnxModel, OnnxTensor } from './index';
import { ProtoWriter } from './proto-writer';
import type { Segment } from './proto-writer';

function bytesOf(writer: ProtoWriter): Uint8Array {
  return Buffer.concat(writer.finish().filter((part: Segment) => part instanceof Uint8Array));
}

/** The bytes of a model whose graph has the given fields. */
function modelWith(fill: (graph: ProtoWriter) => void): Uint8Array {
  const model = new ProtoWriter();
  model.integer(1, 8);
  const graph = new ProtoWriter();
  fill(graph);
  model.message(7, graph);
  return bytesOf(model);
}

/** A model with one initializer 'w' of the given fields. */
function tensorModel(fill: (tensor: ProtoWriter) => void): Uint8Array {
  return modelWith((graph) => {
    const tensor = new ProtoWriter();
    tensor.string(8, 'w');
    fill(tensor);
    graph.message(5, tensor);
  });
}

/** A model with one float initializer 'w' of shape [4] whose data are external. */
function externalModel(entries: Readonly<Record<string, string>>): Uint8Array {
  return tensorModel((tensor) => {
    tensor.packedIntegers(1, [4]);
    tensor.integer(2, DataType.float32);
    tensor.integer(14, 1);
    for (const [key, value] of Object.entries(entries)) {
      const entry = new ProtoWriter();
      entry.string(1, key);
      entry.string(2, value);
      tensor.message(13, entry);
    }
  });
}

function nestedGraphs(levels: number): Uint8Array {
  let graph = new ProtoWriter();
  for (let level = 0; level < levels; level += 1) {
    const attribute = new ProtoWriter();
    attribute.message(6, graph);
    const node = new ProtoWriter();
    node.message(5, attribute);
    graph = new ProtoWriter();
    graph.message(1, node);
  }
  const model = new ProtoWriter();
  model.message(7, graph);
  return bytesOf(model);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const weight = makeTensor('w', DataType.float32, [2, 2], Float32Array.of(1, 2, 3, 4));
const valid: OnnxModel = {
  irVersion: 8,
  producerName: 'test',
  opsets: [{ domain: '', version: 17 }],
  functions: [],
  metadata: new Map(),
  graph: {
    name: 'g',
    nodes: [makeNode('MatMul', ['x', 'w'], ['y'])],
    inputs: [makeValueInfo('x', DataType.float32, ['n', 2])],
    outputs: [makeValueInfo('y', DataType.float32)],
    initializers: [weight],
    valueInfo: [],
  },
};
const validBytes = encodeModel(valid);

const corpus: readonly [name: string, bytes: Uint8Array, expected: RegExp][] = [
  ['an empty file', new Uint8Array(0), /is not an ONNX model: byte 0: .* the file is empty/],
  ['HTML', ascii('<!DOCTYPE html><title>404'), /found that the file is HTML/],
  ['JSON', ascii('{"error": "not found"}'), /found that the file is JSON/],
  ['ZIP', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), /ZIP archive \(PyTorch/],
  ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip-compressed; unpack/],
  ['a Git LFS pointer', ascii('version https://git-lfs.github.com/spec/v1\noid sha256:0'), /git lfs pull/],
  ['GGUF', ascii('GGUF\x03\0\0\0'), /GGUF model/],
  ['safetensors', ascii('\x40\0\0\0\0\0\0\0{"a":{}}'), /safetensors file: weights without a graph/],
  ['TensorFlow Lite', ascii('\x1c\0\0\0TFL3'), /TensorFlow Lite/],
  ['ORT format', ascii('\x1c\0\0\0ORTM'), /ORT format/],
  [
    'plain text',
    ascii('Hello, this is no model\n'),
    /byte 0: expected a ModelProto \(protobuf\), found that the file holds text/,
  ],
  [
    'another protobuf message',
    Uint8Array.of(0x0a, 2, 8, 1),
    /byte 0: expected ModelProto.ir_version to be varint, found length-delimited/,
  ],
  [
    'a model without a graph',
    Uint8Array.of(8, 8),
    /byte 2: expected a graph \(field 7 of ModelProto\), found the end/,
  ],
  ['a group', Uint8Array.of(8, 8, 0x3b), /byte 2: .*found wire type 3 \(group start\)/],
  ['field number 0', Uint8Array.of(8, 8, 0x02, 0), /byte 2: .*found field number 0/],
  ['an endless number', Uint8Array.of(8, ...Array<number>(11).fill(0xff), 1), /at most 10 bytes at byte 1/],
  ['two graphs', Uint8Array.of(8, 8, 0x3a, 0, 0x3a, 0), /byte 4: expected one graph, found a second/],
  [
    'a file cut in its graph',
    validBytes.subarray(0, validBytes.length - 5),
    /ModelProto.graph needs \d+ bytes from byte \d+, but the file ends at byte \d+: 5 bytes are missing; the file was cut short/,
  ],
  [
    'a file cut in a number',
    Uint8Array.of(8, 0x88),
    /the file ends at byte 2 in the middle of a number of ModelProto: at least 1 byte is missing/,
  ],
  [
    'a length past its message',
    Uint8Array.of(8, 8, 0x3a, 2, 0x0a, 9, ...Array<number>(20).fill(0)),
    /byte 4: GraphProto.node needs 9 bytes from byte 6, but its GraphProto ends at byte 6; the file is damaged/,
  ],
  ['a length of 2^63', Uint8Array.of(0x3a, ...Array<number>(9).fill(0xff), 0x7f), /bytes are missing/],
  [
    'names that are not UTF-8',
    modelWith((graph) => graph.bytes(2, Uint8Array.of(0xff, 0xfe))),
    /expected UTF-8 text in GraphProto.name/,
  ],
  ['graphs nested 50 deep', nestedGraphs(50), /nested more than 100 deep/],
  [
    'an unknown dtype',
    tensorModel((t) => t.integer(2, 99)),
    /tensor 'w': expected a known data_type, found 99/,
  ],
  [
    'a negative size',
    tensorModel((t) => {
      t.packedIntegers(1, [2, -3]);
      t.integer(2, 1);
    }),
    /tensor 'w': shape \[2, -3\]: expected sizes of 0 or more, found -3/,
  ],
  [
    'a shape beyond 2^53',
    tensorModel((t) => {
      t.packedIntegers(1, [2 ** 40, 2 ** 40]);
      t.integer(2, 1);
    }),
    /has more than 2\^53 elements/,
  ],
  [
    'a size beyond 2^53',
    tensorModel((t) => {
      t.packedIntegers(1, [2n ** 60n]);
      t.integer(2, 1);
    }),
    /TensorProto.dims is out of range: 1152921504606846976/,
  ],
  [
    'too little raw data',
    tensorModel((t) => {
      t.packedIntegers(1, [4]);
      t.integer(2, 1);
      t.bytes(9, new Uint8Array(12));
    }),
    /tensor 'w': expected 16 bytes for shape \[4\] of float32 \(32 bits each\), found 12 bytes of raw_data/,
  ],
  [
    'no data',
    tensorModel((t) => {
      t.packedIntegers(1, [4]);
      t.integer(2, 1);
    }),
    /expected 16 bytes .* found no data/,
  ],
  [
    'data in the wrong field',
    tensorModel((t) => {
      t.packedIntegers(1, [1]);
      t.integer(2, 1);
      t.packedIntegers(5, [1]);
    }),
    /found TensorProto field 5/,
  ],
  [
    'too few values',
    tensorModel((t) => {
      t.packedIntegers(1, [3]);
      t.integer(2, 7);
      t.packedIntegers(7, [1, 2]);
    }),
    /expected 3 values, found 2/,
  ],
  [
    'a huge tensor of few values',
    tensorModel((t) => {
      t.packedIntegers(1, [2 ** 40]);
      t.integer(2, 7);
      t.packedIntegers(7, [1]);
    }),
    /expected 1099511627776 values, found far fewer/,
  ],
  [
    'strings of a wrong count',
    tensorModel((t) => {
      t.packedIntegers(1, [2]);
      t.integer(2, 8);
      t.string(6, 'a');
    }),
    /expected 2 strings in string_data, found 1 strings/,
  ],
  [
    'segments',
    tensorModel((t) => {
      t.bytes(3, new Uint8Array(0));
    }),
    /split into segments/,
  ],
  [
    'a sparse initializer',
    modelWith((g) => {
      const s = new ProtoWriter();
      const v = new ProtoWriter();
      v.string(8, 'sp');
      s.message(1, v);
      g.message(15, s);
    }),
    /'sp' is a sparse initializer; export the model with dense weights/,
  ],
  [
    'an absolute external path',
    externalModel({ location: '/etc/passwd' }),
    /tensor 'w': external data location '\/etc\/passwd' is an absolute path; expected a relative path below/,
  ],
  ['an absolute Windows path', externalModel({ location: 'C:\\x.bin' }), /is an absolute path/],
  [
    'an external path out of the folder',
    externalModel({ location: 'a/../../x.bin' }),
    /leads out of the folder of the model/,
  ],
  [
    'a link out of the folder',
    externalModel({ location: 'link.bin' }),
    /is a link to .*outside\.bin, outside the folder of the model/,
  ],
  [
    'an external folder',
    externalModel({ location: 'folder' }),
    /folder is not a regular file \(16 bytes expected\)/,
  ],
  [
    'external data without location',
    externalModel({ offset: '0' }),
    /tensor 'w': external_data has no location/,
  ],
  [
    'a bad external offset',
    externalModel({ location: 'short.bin', offset: '-1' }),
    /expected offset in decimal bytes, found '-1'/,
  ],
  [
    'a bad external length',
    externalModel({ location: 'short.bin', length: '7' }),
    /expected 16 bytes of external data for shape \[4\], found length=7/,
  ],
  [
    'external data too short',
    externalModel({ location: 'short.bin', offset: '8' }),
    /tensor 'w': expected 16 bytes at byte 8 of .*short.bin, found a file of 20 bytes/,
  ],
];

let folder = '';
beforeAll(() => {
  const base = mkdtempSync(path.join(tmpdir(), 'sluice-bad-'));
  folder = path.join(base, 'models');
  mkdirSync(path.join(folder, 'folder'), { recursive: true });
  writeFileSync(path.join(base, 'outside.bin'), new Uint8Array(64));
  symlinkSync(path.join(base, 'outside.bin'), path.join(folder, 'link.bin'));
  writeFileSync(path.join(folder, 'short.bin'), new Uint8Array(20));
});
afterAll(() => {
  rmSync(path.dirname(folder), { recursive: true });
});

async function failure(work: Promise<unknown>): Promise<SluiceError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SluiceError);
  return thrown as SluiceError;
}

describe('bad files', () => {
  it.each(corpus)('%s', async (_name, bytes, expected) => {
    const file = path.join(folder, 'bad.onnx');
    writeFileSync(file, bytes);
    const error = await failure(readModel(file));
    expect(error.message).toMatch(expected);
    expect(error.message).toContain('bad.onnx');
    expect(['bad-model', 'unsupported']).toContain(error.code);
  });

  it('names every missing external file at once', async () => {
    const tensors: OnnxTensor[] = ['a.bin', 'b.bin'].map((name) => ({
      ...weight,
      name: `w-${name}`,
      data: { kind: 'file', path: path.join(folder, name), offset: 0, byteLength: 16 },
    }));
    const model = { ...valid, graph: { ...valid.graph, initializers: tensors } };
    const file = path.join(folder, 'missing.onnx');
    writeFileSync(file, encodeModel(model, { keepFileRefs: true, externalBase: folder }));
    const error = await failure(readModel(file));
    expect(error.message).toMatch(
      /missing or too short in 2 file\(s\): a.bin, b.bin; put them beside the model/,
    );
    expect(error.message).toMatch(/tensor 'w-a.bin': .*a.bin does not exist \(16 bytes expected\)/);
    expect(error.details['missing']).toEqual(['a.bin', 'b.bin']);
  });

  it('tells a file that is absent, a folder, and external data without a folder', async () => {
    expect(await failure(readModel(path.join(folder, 'none.onnx')))).toMatchObject({ code: 'not-found' });
    expect((await failure(readModel(folder))).message).toMatch(
      /is not a regular file; expected an ONNX file/,
    );
    expect(() => decodeModel(externalModel({ location: 'a.bin' }))).toThrow(
      /given as bytes without a folder/,
    );
  });

  it('refuses a file that would fill the memory', async () => {
    const file = path.join(folder, 'many.onnx');
    writeFileSync(
      file,
      modelWith((graph) => graph.raw(new Uint8Array(20_000).map((_, i) => (i % 2 ? 0 : 0x0a)))),
    );
    const error = await failure(readModel(file, { memoryLimitBytes: 1e6 }));
    expect(error.message).toMatch(/needs more than 1000000 bytes of memory besides its large weights/);
  });

  it('stops when it is cancelled', async () => {
    const file = path.join(folder, 'good.onnx');
    writeFileSync(file, validBytes);
    const error = await failure(readModel(file, { signal: AbortSignal.abort() }));
    expect(error.code).toBe('cancelled');
  });
});
