import { mkdtemp, rm, writeFile, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../base';
import { SluiceError } from '../contract';
import { failureOf } from '../contract/test-support/failure-of';
import { writeModel } from '../onnx';
import { zooNetwork } from '../zoo';
import { compileStore } from './compile';
import { Engine, type EngineModel } from './engine';
import { instructionSet } from './instruction-set';
import { MANIFEST_FILE, readManifest, type StoreManifest } from './manifest';
import { minimumBudget, residentTotalBytes } from './plan';
import { mediumNetwork } from './test-support/networks';
import { referenceOutputs } from './test-support/reference';
import { expectClose, expectSameBits, inputsFor } from './test-support/tensors';
import type { HostTensors } from './tensors';

let folder: string;
let engine: Engine;
let manifest: StoreManifest;
const storePath = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
  const models = {
    medium: mediumNetwork(3),
    cnn: zooNetwork('tiny-cnn').build(1),
    mlp: zooNetwork('tiny-mlp').build(1),
  };
  for (const [name, model] of Object.entries(models)) {
    const sourcePath = join(folder, `${name}.onnx`);
    await writeModel(model, sourcePath);
    await compileStore(
      { sourcePath, storePath: storePath(name), provider: 'cpu', threads: 2 },
      () => undefined,
    );
  }
  manifest = readManifest(storePath('medium'));
  engine = await Engine.start({ threads: 2, readers: 2 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const least = (): number => minimumBudget(manifest, 'async');
const loadMedium = (budgetBytes = least()): Promise<EngineModel> =>
  engine.load({ storePath: storePath('medium'), mode: 'async', budgetBytes });

describe('Engine', () => {
  it('tells what it runs on', () => {
    expect(engine.info).toMatchObject({ threads: 2, instructionSet: instructionSet() });
    expect(engine.info.providers).toContain('CPUExecutionProvider');
  });

  it('runs several models in turn, each with its own memory and times', async () => {
    const names = ['medium', 'cnn', 'mlp'];
    const models = await Promise.all(
      names.map((name) =>
        engine.load({ storePath: storePath(name), mode: 'async', budgetBytes: budgetOf(name) }),
      ),
    );
    const inputs = models.map((model) => inputsFor(model.manifest.inputs, 1));
    const expected: HostTensors[] = [];
    for (const [at, name] of names.entries())
      expected.push(await referenceOutputs(stock, join(folder, `${name}.onnx`), inputs[at]!));
    const asked = Array.from({ length: 12 }, (_, turn) => turn % 3).map((at) => ({
      at,
      result: models[at]!.run(inputs[at]!),
    }));
    for (const { at, result } of asked) expectClose((await result).outputs, expected[at]!);
    for (const model of models) {
      const { ringBytes, residentBytes, constantBytes } = model.memoryUse;
      expect(ringBytes + residentBytes + constantBytes).toBe(model.plan.parameterMemoryBytes);
      await model.close();
    }
  });

  it('reports times, reads and stalls that fit together', async () => {
    const model = await loadMedium();
    const inputs = inputsFor(manifest.inputs, 1);
    await model.run(inputs);
    const { totalMs, stallMs, readBytes, trace } = await model.run(inputs);
    expect(readBytes).toBe(model.plan.streamedBytesPerRun);
    expect(readBytes).toBeGreaterThan(15e6);
    expect(stallMs).toBeLessThanOrEqual(totalMs);
    expect(trace.times.steps).toHaveLength(3 * model.program.steps.length);
    await model.close();
  });

  it('is down, and says so, once its thread is gone', async () => {
    const doomed = await Engine.start({ threads: 1, readers: 1 });
    const model = await doomed.load({ storePath: storePath('medium'), mode: 'async', budgetBytes: least() });
    const inputs = inputsFor(manifest.inputs, 1);
    const pending = [1, 2, 3, 4].map(() => failureOf(model.run(inputs)));
    await (doomed as unknown as { worker: Worker }).worker.terminate();
    for (const failure of pending) expect((await failure).code).toBe('engine-down');
    expect((await failureOf(model.run(inputs))).code).toBe('engine-down');
    expect((await failureOf(doomed.load({ storePath: storePath('cnn'), mode: 'resident' }))).code).toBe(
      'engine-down',
    );
    await doomed.close();
    const again = await loadMedium();
    await again.run(inputs);
    await again.close();
  });

  it('asks for a budget where one is needed', async () => {
    const failure = await failureOf(engine.load({ storePath: storePath('cnn'), mode: 'sync' }));
    expect(failure).toMatchObject({ code: 'bad-input' });
  });

  function budgetOf(name: string): number {
    const store = readManifest(storePath(name));
    return Math.ceil((minimumBudget(store, 'async') + residentTotalBytes(store)) / 2);
  }
});

describe('cancelling', () => {
  it('at any moment stops that run only, and the next one is right', async () => {
    const model = await loadMedium();
    const inputs = inputsFor(manifest.inputs, 1);
    const right = (await model.run(inputs)).outputs;
    const { totalMs } = await model.run(inputs);
    const random = seededRandom(7);
    let cancelled = 0;
    // Timers are coarse beside an inference: some turns end before they are cancelled.
    for (let turn = 0; turn < 200 && cancelled < 5; turn += 1) {
      const controller = new AbortController();
      const run = model.run(inputs, { signal: controller.signal });
      setTimeout(() => controller.abort(), random() * 1.3 * totalMs);
      const outcome = await run.catch((error: unknown) => error);
      if (outcome instanceof SluiceError) {
        expect(outcome.code).toBe('cancelled');
        cancelled += 1;
      }
      expectSameBits((await model.run(inputs)).outputs, right);
    }
    expect(cancelled).toBe(5);
    await model.close();
  });

  it('a run that waits its turn leaves the one before it alone', async () => {
    const model = await loadMedium();
    const inputs = inputsFor(manifest.inputs, 1);
    const right = (await model.run(inputs)).outputs;
    for (let turn = 0; turn < 5; turn += 1) {
      const controller = new AbortController();
      const before = model.run(inputs);
      const waiting = model.run(inputs, { signal: controller.signal });
      const after = model.run(inputs);
      const failure = failureOf(waiting);
      setTimeout(() => controller.abort(), turn % 5);
      expectSameBits((await before).outputs, right);
      expect((await failure).code).toBe('cancelled');
      expectSameBits((await after).outputs, right);
    }
    await model.close();
  });

  it('before it is asked, and after its model was closed', async () => {
    const model = await loadMedium();
    const inputs = inputsFor(manifest.inputs, 1);
    expect((await failureOf(model.run(inputs, { signal: AbortSignal.abort() }))).code).toBe('cancelled');
    const controller = new AbortController();
    const last = model.run(inputs, { signal: controller.signal });
    const closed = model.close();
    await last;
    controller.abort();
    await closed;
    expect((await failureOf(model.run(inputs))).code).toBe('not-found');
  });
});

describe('a store that does not fit here', () => {
  const spoiled: readonly [string, (good: StoreManifest) => unknown, string, RegExp][] = [
    [
      'of another CPU',
      (good) => ({ ...good, instructionSet: 'x86-64-mmx' }),
      'stale-store',
      /compiled for x86-64-mmx, this CPU is/,
    ],
    [
      'of another runtime',
      (good) => ({ ...good, runtimeVersion: '0.9.0' }),
      'stale-store',
      /ONNX Runtime 0\.9\.0/,
    ],
    [
      'of a newer format',
      (good) => ({ ...good, format: 99 }),
      'unsupported',
      /version 99.*A newer Sluice wrote it.*Nothing was changed/,
    ],
    [
      'of an older format',
      (good) => ({ ...good, format: 0 }),
      'stale-store',
      /format 0.*Import the model again/,
    ],
    [
      'with a manifest of another shape',
      (good) => ({ ...good, layers: [{ name: 7 }] }),
      'corrupt-store',
      /layers\.0\.name/,
    ],
    ['with no layers', (good) => ({ ...good, layers: [] }), 'corrupt-store', /layers/],
    ['with a manifest that is null', () => null, 'corrupt-store', /not a store manifest/],
    ['of a provider that is not here', (good) => ({ ...good, provider: 'abacus' }), 'unsupported', /abacus/],
  ];

  it.each(spoiled)('%s', async (_, spoil, code, message) => {
    const path = join(storePath('cnn'), MANIFEST_FILE);
    const good = await readFile(path, 'utf8');
    const bad = JSON.stringify(spoil(JSON.parse(good) as StoreManifest));
    await writeFile(path, bad);
    try {
      const failure = await failureOf(engine.load({ storePath: storePath('cnn'), mode: 'resident' }));
      expect(failure.code).toBe(code);
      expect(failure.message).toMatch(message);
      expect(await readFile(path, 'utf8'), 'left untouched').toBe(bad);
    } finally {
      await writeFile(path, good);
    }
  });

  it.each([
    ['garbage', 'garbage {'],
    ['an empty file', ''],
  ])('with %s for a manifest', async (_, content) => {
    const path = join(storePath('cnn'), MANIFEST_FILE);
    const good = await readFile(path);
    await writeFile(path, content);
    const failure = await failureOf(engine.load({ storePath: storePath('cnn'), mode: 'resident' }));
    expect(failure.code).toBe('corrupt-store');
    expect(failure.message).toContain(path);
    await writeFile(path, good);
    expect((await stat(path)).size).toBe(good.length);
  });
});
