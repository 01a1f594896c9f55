import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  DataType,
  encodeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  readModel,
  readTensorBytes,
  readTensorBytesSync,
  writeModel,
} from './index';
import type { OnnxModel, OnnxTensor } from './index';
import { encodeModelProto } from './encode';
import { SluiceError } from '../contract';

const GIB = 2 ** 30;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-large-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function modelOf(initializers: OnnxTensor[]): OnnxModel {
  return {
    irVersion: 8,
    producerName: '',
    opsets: [{ domain: '', version: 17 }],
    functions: [],
    metadata: new Map(),
    graph: {
      name: 'g',
      nodes: [makeNode('Identity', ['small'], ['y'])],
      inputs: [],
      outputs: [makeValueInfo('y', DataType.float32)],
      initializers,
      valueInfo: [],
    },
  };
}

const small = makeTensor('small', DataType.float32, [2], Float32Array.of(1.5, -2));

/** Writes a model whose file-ref tensors become holes, so that 5 GiB take no space. */
function writeSparse(file: string, model: OnnxModel): void {
  const fd = openSync(file, 'w');
  try {
    let position = 0;
    for (const segment of encodeModelProto(model, () => undefined).finish()) {
      if (segment instanceof Uint8Array) writeSync(fd, segment, 0, segment.byteLength, position);
      position += segment.byteLength;
    }
    ftruncateSync(fd, position);
  } finally {
    closeSync(fd);
  }
}

function hole(name: string, dims: readonly number[]): OnnxTensor {
  const byteLength = dims.reduce((a, b) => a * b, 4);
  return { name, dtype: DataType.float32, dims, data: { kind: 'file', path: '', offset: 0, byteLength } };
}

describe('a model file of 5 GiB', () => {
  it('is read without its weights, which are found past 4 GiB', async () => {
    const file = path.join(folder, 'huge.onnx');
    const huge = [hole('a', [GIB, 1]), hole('b', [GIB / 4])];
    writeSparse(file, modelOf([...huge, small]));
    expect(statSync(file).size).toBeGreaterThan(5 * GIB);

    const before = performance.now();
    const model = await readModel(file);
    expect(performance.now() - before).toBeLessThan(1000);
    const [a, b, last] = model.graph.initializers;
    expect(a?.data).toMatchObject({ kind: 'file', path: file, byteLength: 4 * GIB });
    expect(b?.data).toMatchObject({ kind: 'file', byteLength: GIB });
    expect(last).toEqual(small);
    expect(model.graph.nodes).toHaveLength(1);
  });

  it('is refused for writing as one file', async () => {
    const model = modelOf([hole('a', [GIB, 1]), small]);
    await expect(writeModel(model, path.join(folder, 'never.onnx'))).rejects.toThrow(
      /would have \d+ bytes; an ONNX file holds at most 2147483647: write the weights to external data/,
    );
  });
});

describe('references', () => {
  const values = Float32Array.from({ length: 5000 }, (_, i) => i);
  const weights = makeTensor('w', DataType.float32, [5000], values);

  it('give the bytes of the tensor, later and at once', async () => {
    const file = path.join(folder, 'refs.onnx');
    await writeModel(modelOf([weights, small]), file);
    const [read] = (await readModel(file, { inlineLimitBytes: 1000 })).graph.initializers;
    expect(read?.data.kind).toBe('file');
    if (!read) return;
    expect(new Float32Array((await readTensorBytes(read)).buffer)).toEqual(values);
    expect(new Float32Array(readTensorBytesSync(read).buffer)).toEqual(values);
  });

  it('allow a model to be written over its own file', async () => {
    const file = path.join(folder, 'self.onnx');
    await writeModel(modelOf([weights, small]), file);
    const before = readFileSync(file);
    await writeModel(await readModel(file, { inlineLimitBytes: 0 }), file);
    expect(readFileSync(file)).toEqual(before);
  });

  it('align external data and fill the gaps', async () => {
    const file = path.join(folder, 'aligned.onnx');
    const odd = makeTensor('odd', DataType.uint8, [3], Uint8Array.of(1, 2, 3));
    const settings = { file: 'aligned.bin', minBytes: 1, alignmentBytes: 512 };
    await writeModel(modelOf([odd, weights, small]), file, { externalData: settings });
    const read = (await readModel(file)).graph.initializers;
    const places = read.map(({ data }) => (data.kind === 'file' ? data.offset : data.kind));
    expect(places).toEqual([0, 512, 20992]);
    expect(await Promise.all(read.map(readTensorBytes))).toEqual(
      [odd, weights, small].map(({ data }) => (data.kind === 'inline' ? data.bytes : undefined)),
    );
  });

  it('that are gone or short are an io error, and leave the old file and nothing else', async () => {
    const file = path.join(folder, 'kept.onnx');
    await writeModel(modelOf([small]), file);
    const before = readFileSync(file);
    const short = hole('w', [100]);
    const gone: OnnxTensor = {
      ...short,
      data: { ...short.data, path: path.join(folder, 'gone.bin') } as OnnxTensor['data'],
    };
    const cut: OnnxTensor = { ...short, data: { kind: 'file', path: file, offset: 8, byteLength: 400 } };
    await expect(writeModel(modelOf([gone]), file)).rejects.toThrow(/ENOENT.*the model file was not changed/);
    await expect(writeModel(modelOf([cut]), file)).rejects.toThrow(
      /expected 400 bytes at byte 8, found the end/,
    );
    await expect(readTensorBytes(cut)).rejects.toThrow(SluiceError);
    expect(() => readTensorBytesSync(gone)).toThrow(/tensor 'w': reading 400 bytes .*ENOENT/);
    expect(readFileSync(file)).toEqual(before);
  });

  it('follow links as model caches have them: model and data both links into one folder', async () => {
    const blobs = path.join(folder, 'blobs');
    const snapshot = path.join(folder, 'snapshot');
    mkdirSync(blobs);
    mkdirSync(snapshot);
    await writeModel(modelOf([weights]), path.join(blobs, 'model'), { externalData: { file: 'data' } });
    symlinkSync(path.join(blobs, 'model'), path.join(snapshot, 'model.onnx'));
    symlinkSync(path.join(blobs, 'data'), path.join(snapshot, 'data'));
    const [read] = (await readModel(path.join(snapshot, 'model.onnx'))).graph.initializers;
    expect(read?.data).toMatchObject({ kind: 'file', path: path.join(snapshot, 'data') });
  });

  it('cannot be kept to files outside the folder, nor be encoded in memory', () => {
    const outside: OnnxTensor = {
      ...hole('w', [100]),
      data: { kind: 'file', path: '/data/w.bin', offset: 0, byteLength: 400 },
    };
    expect(() => encodeModel(modelOf([outside]), { keepFileRefs: true, externalBase: folder })).toThrow(
      /tensor 'w': its data are in \/data\/w.bin, outside/,
    );
    expect(() => encodeModel(modelOf([outside]))).toThrow(/use writeModel/);
  });
});
