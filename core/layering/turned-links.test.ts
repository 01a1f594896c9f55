import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  encodeModel,
  modelFiles,
  readModel,
  readTensorBytes,
  readTensorBytesSync,
  writeModel,
} from '../onnx';
import type { OnnxModel } from '../onnx';
import { sha256OfFile } from '../storage';
import { OrtSession } from '../ort';
import { writeZooModel, zooNetwork } from '../zoo';
import { compileStore } from './compile';
import { linkSources } from './link-sources';

let root: string;
let source: string;
let weights: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-turned-'));
  source = join(root, 'model', 'cnn.onnx');
  mkdirSync(dirname(source));
  await writeZooModel(zooNetwork('tiny-cnn'), source, { seed: 1, weights: 'external' });
  [weights = ''] = modelFiles(await readModel(source)).map(({ path }) => path);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

/** What somebody who may write to the model's folder, and not to the user's files, does between a look and the reading. */
function turn(): void {
  const secret = join(root, 'secret');
  writeFileSync(secret, readFileSync(weights).fill(0x41));
  rmSync(weights);
  symlinkSync(secret, weights);
}

const external = (model: OnnxModel) => model.graph.initializers.find(({ data }) => data.kind === 'file')!;
const REFUSED = /cnn\.weights leads to .*secret; expected a file below .*model/;

describe('a link that is turned after a model was read', () => {
  it('leads to no bytes, however they are read', async () => {
    const model = await readModel(source);
    turn();
    const tensor = external(model);
    await expect(readTensorBytes(tensor)).rejects.toThrow(REFUSED);
    expect(() => readTensorBytesSync(tensor)).toThrow(REFUSED);
    await expect(writeModel(model, join(root, 'copy.onnx'))).rejects.toThrow(REFUSED);
    expect(existsSync(join(root, 'copy.onnx'))).toBe(false);
    const [{ folders } = {}] = modelFiles(model);
    const range = { offset: 0, byteLength: 4, ...(folders && { folders }) };
    await expect(sha256OfFile(weights, range)).rejects.toThrow(REFUSED);
    await expect(linkSources(model, join(root, 'sources'))).rejects.toThrow(REFUSED);
  });

  it('is not followed when the model is named by a link that is turned too', async () => {
    const link = join(root, 'model', 'link.onnx');
    symlinkSync('cnn.onnx', link);
    const model = await readModel(link);
    const elsewhere = join(root, 'elsewhere');
    mkdirSync(elsewhere);
    turn();
    await expect(readTensorBytes(external(model))).rejects.toThrow(REFUSED);
  });

  it.each(['before it is opened', 'after it was linked'])(
    'gives ONNX Runtime nothing of another file: turned %s',
    async (when) => {
      const create = OrtSession.create.bind(OrtSession);
      let opened = 0;
      vi.spyOn(OrtSession, 'create').mockImplementation((...args) => {
        // The first session optimises the whole model, and opens its weights by name.
        opened += 1;
        if (opened === 1 && when === 'after it was linked') turn();
        return create(...args);
      });
      const compile = (name: string) =>
        compileStore(
          { sourcePath: source, storePath: join(root, name), provider: 'cpu', threads: 1 },
          ({ phase }) => {
            if (phase === 'optimise' && when === 'before it is opened' && !existsSync(join(root, 'secret')))
              turn();
          },
        );
      if (when === 'before it is opened') {
        await expect(compile('store')).rejects.toThrow(REFUSED);
        expect(readdirSync(root).sort()).toEqual(['model', 'secret']);
        return;
      }
      const { layers } = await compile('store');
      // The bytes are those that were there when it was looked at.
      expect(readFileSync(join(root, 'store', 'weights.bin')).includes(Buffer.alloc(64, 0x41))).toBe(false);
      expect(layers.length).toBeGreaterThan(0);
      expect(readdirSync(join(root, 'store')).sort()).toEqual(['layers', 'manifest.json', 'weights.bin']);
    },
  );
});

describe('links that stay', () => {
  it("may lead beside the file that the model itself is a link to, as in a hub's cache", async () => {
    const [blobs, snapshot] = [join(root, 'model'), join(root, 'snapshot')];
    mkdirSync(snapshot);
    for (const name of readdirSync(blobs)) symlinkSync(join(blobs, name), join(snapshot, name));
    const storePath = join(root, 'store');
    const sourcePath = join(snapshot, 'cnn.onnx');
    const { source: known } = await compileStore(
      { sourcePath, storePath, provider: 'cpu', threads: 1 },
      () => undefined,
    );
    expect(known.beside?.map(({ file }) => file)).toEqual(['cnn.weights']);
  });
});

describe('second names of the files with weights', () => {
  const MEMORY = '/dev/shm';
  const isOther = existsSync(MEMORY) && statSync(MEMORY).dev !== statSync(tmpdir()).dev;

  it.each(['the same', 'another'])('on %s file system are of the very files, or copies', async (where) => {
    if (where === 'another' && !isOther) return;
    const model = await readModel(source);
    const parent = where === 'another' ? mkdtempSync(join(MEMORY, 'sluice-sources-')) : root;
    const folder = join(parent, 'sources');
    const externalNames = await linkSources(model, folder);
    const before = readFileSync(weights);
    for (const name of externalNames.values()) expect(readFileSync(join(folder, name))).toEqual(before);
    expect(
      encodeModel(model, { keepFileRefs: true, externalBase: folder, externalNames }).byteLength,
    ).toBeGreaterThan(0);
    const [name = ''] = externalNames.values();
    expect(statSync(join(folder, name)).ino === statSync(weights).ino).toBe(where === 'the same');
    rmSync(where === 'another' ? parent : folder, { recursive: true });
    expect(readFileSync(weights)).toEqual(before);
  });
});
