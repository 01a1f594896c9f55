import { copyFile, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineMode } from '../contract';
import { failureOf } from '../contract/test-support/failure-of';
import { WEIGHTS_FILE } from './manifest';
import { minimumBudget } from './plan';
import { BenchTop, infer, type TestStore } from './test-support/bench-top';
import { mediumNetwork, twoProducts } from './test-support/networks';
import { expectSameBits, inputsFor } from './test-support/tensors';
import type { LoadedModel } from './loaded-model';
import type { HostTensors } from './tensors';

const STREAMING: readonly PipelineMode[] = ['async', 'sync', 'sequential'];

let bench: BenchTop;
let store: TestStore;
let other: TestStore;
let inputs: HostTensors;
let right: HostTensors;

beforeAll(async () => {
  bench = await BenchTop.open();
  store = await bench.compile(mediumNetwork(3));
  other = await bench.compile(twoProducts(4));
  inputs = inputsFor(store.manifest.inputs, 1);
  const model = await bench.load(store, 'resident');
  right = await infer(model, inputs);
  await model.close();
  await copyFile(weightsPath(), spareWeights());
});
afterAll(() => bench.close());
// What one test spoils is no concern of the next.
afterEach(() => copyFile(spareWeights(), weightsPath()));

const spareWeights = (): string => join(bench.folder, 'weights.spare');
const copyOfWeights = async (): Promise<string> => {
  const path = join(bench.folder, 'weights.copy');
  await copyFile(spareWeights(), path);
  return path;
};

const loadLeast = (mode: PipelineMode): Promise<LoadedModel> =>
  bench.load(store, mode, minimumBudget(store.manifest, mode));
const weightsPath = (): string => join(store.storePath, WEIGHTS_FILE);

/** Turns one bit of the weights over; again to put it right. */
async function flipBit(fileOffset: number): Promise<void> {
  const file = await open(weightsPath(), 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, fileOffset);
  byte[0] = (byte[0] ?? 0) ^ 0x10;
  await file.write(byte, 0, 1, fileOffset);
  await file.sync();
  await file.close();
}

describe('one flipped bit', () => {
  const cases = (['resident', ...STREAMING] as const).flatMap((mode) =>
    // Whole, tiled, tiled with more nodes after it, the last one.
    [0, 2, 3, 8].map((layer) => ({ mode, layer })),
  );

  it.each(cases)('in layer $layer, $mode: is found and named', async ({ mode, layer }) => {
    const { name, fileOffset, byteLength } = store.manifest.layers[layer]!;
    const place = fileOffset + Math.floor(0.7 * byteLength);
    await flipBit(place);
    const model = await loadLeast(mode);
    try {
      const failure = await failureOf(infer(model, inputs));
      expect(failure).toMatchObject({ code: 'corrupt-store', details: { layer: name, index: layer } });
      expect(failure.message).toContain(name);
      expect((await failureOf(infer(model, inputs))).code, 'still refused').toBe('corrupt-store');
    } finally {
      await flipBit(place);
    }
    // The engine goes on: with another model, and with this one once its file is right again.
    const spare = await bench.load(other, 'async', minimumBudget(other.manifest, 'async'));
    await infer(spare, inputsFor(other.manifest.inputs, 1));
    await spare.close();
    if (mode !== 'resident') expectSameBits(await infer(model, inputs), right);
    await model.close();
  });
});

describe('a weights file that gets lost while it is streamed', () => {
  it.each(STREAMING)(
    '%s: a truncated file is named, and a restored one works without loading again',
    async (mode) => {
      const copy = await copyOfWeights();
      const model = await loadLeast(mode);
      expectSameBits(await infer(model, inputs), right);
      const layer = store.manifest.layers[7]!;
      await truncate(weightsPath(), layer.fileOffset + 5000);
      // The ring may still hold what was read before.
      const failure = await failureOf(repeat(3, () => infer(model, inputs)));
      expect(failure.code).toBe('io');
      expect(failure.message).toContain(`layer 7 (${layer.name})`);
      expect(failure.message).toContain('ended early');
      expect((await failureOf(repeat(3, () => infer(model, inputs)))).code).toBe('io');
      await rename(copy, weightsPath());
      expectSameBits(await infer(model, inputs), right);
      expectSameBits(await infer(model, inputs), right);
      await model.close();
    },
  );

  it('a file that is gone is an error every time, and found again when it is back', async () => {
    const model = await loadLeast('async');
    const away = await copyOfWeights();
    await truncate(weightsPath(), 4096);
    await failureOf(repeat(3, () => infer(model, inputs)));
    await rm(weightsPath());
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const failure = await failureOf(infer(model, inputs));
      expect(failure.code).toBe('io');
      expect(failure.message).toContain(weightsPath());
    }
    expect((await failureOf(loadLeast('async'))).code).toBe('io');
    expect((await failureOf(bench.load(store, 'resident'))).code).toBe('io');
    await rename(away, weightsPath());
    expectSameBits(await infer(model, inputs), right);
    await model.close();
  });

  it('rows of a table that can not be read are an error, and readable again later', async () => {
    const words = store.manifest.layers[4]!;
    expect(words.gather).toBeDefined();
    const copy = await copyOfWeights();
    const ids = BigInt64Array.from({ length: 64 }, (_, at) => BigInt(4000 + at));
    const late = new Map([...inputs, ['ids', { ...inputs.get('ids')!, bytes: new Uint8Array(ids.buffer) }]]);
    const model = await loadLeast('sequential');
    const before = await infer(model, late);
    await truncate(weightsPath(), words.fileOffset + 1000 * 2048);
    const failure = await failureOf(infer(model, late));
    expect(failure.code).toBe('io');
    expect(failure.message).toContain(words.name);
    await rename(copy, weightsPath());
    expectSameBits(await infer(model, late), before);
    await model.close();
  });

  it('a layer graph that is gone or garbage is named', async () => {
    const { graph, name } = store.manifest.layers[3]!;
    const path = join(store.storePath, graph);
    const content = await readFile(path);
    for (const spoil of [() => rm(path), () => writeFile(path, 'garbage')]) {
      await spoil();
      const failure = await failureOf(loadLeast('async'));
      expect(failure).toMatchObject({ code: 'corrupt-store', details: { layer: name } });
      await writeFile(path, content);
    }
  });
});

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < times; round += 1) await work();
}

describe('wrong input', () => {
  it('is told with all faults at once', async () => {
    const model = await loadLeast('async');
    const failure = await failureOf(
      infer(
        model,
        new Map([
          ['picture', inputs.get('image')!],
          ['image', { dtype: 'uint8', dims: [1, 3, 8], bytes: new Uint8Array(7) }],
        ]),
      ),
    );
    expect(failure.code).toBe('bad-input');
    expect(failure.details['faults']).toHaveLength(5);
    for (const part of [
      "unknown input 'picture'; the model takes image, ids",
      "input 'image': expected float32, found uint8",
      "input 'image': expected shape [1, 64, 8, 8], found [1, 3, 8]",
      "input 'image': uint8 [1, 3, 8] takes 24 bytes, found 7",
      "input 'ids' is missing; expected int64 [1, 64]",
    ]) {
      expect(failure.message).toContain(part);
    }
    expectSameBits(await infer(model, inputs), right);
    await model.close();
  });

  const withId = (at: number, id: bigint): HostTensors => {
    const ids = new BigInt64Array(64);
    ids[at] = id;
    return new Map([...inputs, ['ids', { ...inputs.get('ids')!, bytes: new Uint8Array(ids.buffer) }]]);
  };

  it.each(['resident', 'async'] as const)('an index beyond an embedding table, %s', async (mode) => {
    const model = await loadLeast(mode);
    for (const [at, id] of [
      [3, 4096n],
      [63, -4097n],
      [0, 2n ** 62n],
    ] as const) {
      const failure = await failureOf(infer(model, withId(at, id)));
      expect(failure).toMatchObject({
        code: 'bad-input',
        details: { input: 'ids', position: at, rows: 4096 },
      });
    }
    expectSameBits(await infer(model, withId(5, -1n)), await infer(model, withId(5, 4095n)));
    expectSameBits(await infer(model, inputs), right);
    await model.close();
  });
});
