import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SluiceError, PipelineMode } from '../contract';
import { failureOf } from '../contract/test-support/failure-of';
import { Engine } from './engine';
import { MANIFEST_FILE, readManifest, WEIGHTS_FILE } from './manifest';
import { minimumBudget } from './plan';
import { profileStore } from './profile';
import { PROFILE_FILE, readProfile } from './profile-file';
import { BenchTop, infer, type TestStore } from './test-support/bench-top';
import { mediumNetwork, twoProducts } from './test-support/networks';
import { expectSameBits, inputsFor } from './test-support/tensors';
import type { LoadedModel } from './loaded-model';
import type { HostTensors } from './tensors';

/** Reads of memory that is not mapped are answered with EIO, as those of a failing disk are. Low addresses never are. */
const FAILING_DISK = '/proc/self/mem';
const STREAMING: readonly PipelineMode[] = ['async', 'sync', 'sequential'];

let bench: BenchTop;
let store: TestStore;
let other: TestStore;
let inputs: HostTensors;
let right: HostTensors;

const weights = (): string => join(store.storePath, WEIGHTS_FILE);
const spare = (): string => join(bench.folder, 'weights.spare');
const loadLeast = (mode: PipelineMode): Promise<LoadedModel> =>
  bench.load(store, mode, minimumBudget(store.manifest, mode));

beforeAll(async () => {
  bench = await BenchTop.open();
  store = await bench.compile(mediumNetwork(3));
  other = await bench.compile(twoProducts(4));
  inputs = inputsFor(store.manifest.inputs, 1);
  const model = await bench.load(store, 'resident');
  right = await infer(model, inputs);
  await model.close();
  await copyFile(weights(), spare());
});
afterAll(() => bench.close());
afterEach(() => mend());

async function breakDisk(): Promise<void> {
  await rm(weights());
  await symlink(FAILING_DISK, weights());
}

async function mend(): Promise<void> {
  const copy = `${weights()}.copy`;
  await copyFile(spare(), copy);
  await rename(copy, weights());
}

/** It is a read error that names one of the first layers: two readers begin at about the same time. */
function expectReadError(failure: SluiceError): void {
  expect(failure).toMatchObject({ code: 'io', details: { path: weights(), errno: 'EIO' } });
  expect(failure.message).toMatch(/the disk reported an error; check its health \(EIO\)/);
  const layer = /layer (\d+) \((.+?)\) from/.exec(failure.message);
  expect(layer?.[2]).toBe(store.manifest.layers[Number(layer?.[1])]?.name);
}

/** The same engine serves another model meanwhile. */
async function expectServes(): Promise<void> {
  const model = await bench.load(other, 'async', minimumBudget(other.manifest, 'async'));
  await infer(model, inputsFor(other.manifest.inputs, 1));
  await model.close();
}

describe.skipIf(!existsSync(FAILING_DISK))('a disk that answers EIO', () => {
  it.each(STREAMING)(
    '%s: names the layer, every time, and reads again once the fault is gone',
    async (mode) => {
      const model = await loadLeast(mode);
      expectSameBits(await infer(model, inputs), right);
      await breakDisk();
      // A cancelled inference makes the readers open the file again.
      expect((await failureOf(model.run(inputs, { isCancelled: () => true }))).code).toBe('cancelled');
      for (let attempt = 0; attempt < 3; attempt += 1) {
        expectReadError(await failureOf(infer(model, inputs)));
        await expectServes();
      }
      await mend();
      for (let run = 0; run < 3; run += 1) expectSameBits(await infer(model, inputs), right);
      await model.close();
    },
  );

  it.each(['resident', 'async'] as const)('%s: loading names the layer, and works later', async (mode) => {
    await breakDisk();
    expectReadError(await failureOf(loadLeast(mode)));
    await expectServes();
    await mend();
    const model = await loadLeast(mode);
    expectSameBits(await infer(model, inputs), right);
    await model.close();
  });

  it('under a layer graph or the manifest: names the file', async () => {
    const { graph } = store.manifest.layers[3]!;
    for (const [name, load] of [
      [graph, (): Promise<unknown> => loadLeast('async')],
      [MANIFEST_FILE, (): Promise<unknown> => Promise.resolve().then(() => readManifest(store.storePath))],
    ] as const) {
      const path = join(store.storePath, name);
      const content = await readFile(path);
      await rm(path);
      await symlink(FAILING_DISK, path);
      const failure = await failureOf(load());
      await rm(path);
      writeFileSync(path, content);
      expect(failure.message).toContain(path);
      expect(failure).toMatchObject({ code: 'io', details: { errno: 'EIO' } });
    }
    await (await loadLeast('async')).close();
  });
});

describe('a full disk', () => {
  it('under a profile: an error that says so, and the old profile stays', async (context) => {
    const disk = join(bench.folder, 'small-disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small disk can be mounted by root only');
    }
    const engine = await Engine.start({ threads: 2 });
    try {
      const storePath = join(disk, 'store');
      execFileSync('cp', ['-r', other.storePath, storePath]);
      await profileStore(engine, storePath);
      const before = readFileSync(join(storePath, PROFILE_FILE), 'utf8');
      fill(join(disk, 'filler'));
      const failure = await failureOf(profileStore(engine, storePath));
      expect(failure).toMatchObject({ code: 'io', details: { errno: 'ENOSPC' } });
      expect(failure.message).toMatch(/profile\.json: the disk is full; free some space/);
      expect(readFileSync(join(storePath, PROFILE_FILE), 'utf8')).toBe(before);

      const model = await engine.load({ storePath, mode: 'resident' });
      await model.run(inputsFor(other.manifest.inputs, 1));
      await model.close();
      rmSync(join(disk, 'filler'));
      await profileStore(engine, storePath);
      expect(readProfile(storePath)?.threads).toBe(2);
    } finally {
      await engine.close();
      execFileSync('umount', [disk]);
    }
  });
});

/** Writes until nothing more fits. */
function fill(path: string): void {
  for (let bytes = 1 << 20; bytes >= 1; bytes = bytes === 1 ? 0 : bytes >> 2) {
    for (;;) {
      try {
        writeFileSync(path, new Uint8Array(bytes), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        break;
      }
    }
  }
}
