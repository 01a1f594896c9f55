import { execFileSync, fork, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  openSync,
  readSync,
  writeSync,
  closeSync,
  readFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom, workerFile } from '../base';
import { SluiceError } from '../contract';
import { failureOf } from '../contract/test-support/failure-of';
import { makeNode, readTensorBytesSync, writeModel } from '../onnx';
import { OrtEnvironment } from '../ort';
import type { CompileRequest } from './compile-request';
import { instructionSet } from './instruction-set';
import { ModelLibrary } from './library';
import { MANIFEST_FILE, readManifest, WEIGHTS_FILE } from './manifest';
import type { LibraryHere } from './model-summary';
import { mediumNetwork, twoProducts } from './test-support/networks';

let folder: string;
let here: LibraryHere;
let small: string;
let medium: string;
let dataDir: string;
let library: ModelLibrary;
let nextHome = 0;
const never = new AbortController().signal;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-library-'));
  const environment = OrtEnvironment.open({ threads: 2 });
  here = { runtimeVersion: environment.version, instructionSet: instructionSet() };
  environment.close();
  small = join(folder, 'small.onnx');
  medium = join(folder, 'medium.onnx');
  await writeModel(twoProducts(1), small);
  await writeModel(mediumNetwork(3), medium);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  nextHome += 1;
  dataDir = join(folder, `home-${nextHome}`);
  library = await ModelLibrary.open(dataDir, here);
});

const add = (sourcePath: string, name: string, options: { signal?: AbortSignal; replace?: boolean } = {}) =>
  library.import(
    { sourcePath, name, threads: 2, ...(options.replace ? { replace: true } : {}) },
    () => undefined,
    options.signal ?? never,
  );

/** Everything under models/, to see what is left. */
const files = (name = ''): string[] => {
  const root = join(dataDir, 'models', name);
  return existsSync(root) ? (readdirSync(root, { recursive: true }) as string[]) : [];
};

function flipBit(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}

describe('a library', () => {
  it('imports, tells, verifies and removes', async () => {
    const phases = new Set<string>();
    const request = { sourcePath: small, threads: 2 };
    const summary = await library.import(request, ({ phase }) => phases.add(phase), never);
    expect([...phases]).toEqual(['hash', 'optimise', 'partition', 'pack', 'commit']);
    expect(summary).toMatchObject({
      name: 'small',
      state: 'ready',
      weightBytes: 2 * 512 * 512 * 4,
      layers: 2,
    });
    const detail = await library.inspect('small');
    expect(detail.layerList.map((layer) => layer.fileOffset)).toEqual([0, 1_048_576]);
    const report = await library.verify('small', () => undefined, never);
    expect(report).toMatchObject({ ok: true, layersChecked: 2, faults: [] });
    const layer = detail.layerList[1]!;
    flipBit(join(detail.storePath, WEIGHTS_FILE), layer.fileOffset + 99);
    const damaged = await library.verify('small', () => undefined, never);
    expect(damaged.ok).toBe(false);
    expect(damaged.faults.map((fault) => fault.layer)).toEqual([layer.name]);
    await library.discard(await library.remove('small'));
    expect(files()).toEqual([]);
    expect((await failureOf(library.remove('small'))).code).toBe('not-found');
  });

  it('keeps the file whose folder it takes as long as the model, over a removal and a compilation anew', async () => {
    const sent = join(dataDir, 'sent');
    mkdirSync(sent);
    const sourcePath = join(sent, 'sent.onnx');
    writeFileSync(sourcePath, readFileSync(small));
    await library.import({ sourcePath, threads: 2, takesSource: true }, () => undefined, never);
    expect(existsSync(sent)).toBe(false);
    const kept = library.sourcePath('sent');
    expect(readFileSync(kept)).toEqual(readFileSync(small));
    await library.restore(await library.remove('sent'));
    await add(kept, 'sent', { replace: true });
    expect(library.sourcePath('sent')).toBe(kept);
    library = await ModelLibrary.open(dataDir, here);
    expect(existsSync(kept)).toBe(true);
    await add(small, 'sent', { replace: true });
    expect(library.sourcePath('sent')).toBe(small);
    expect(existsSync(kept)).toBe(false);
  }, 120_000);

  it('stays whole beside broken models, which can be removed', async () => {
    await add(small, 'fine');
    for (const name of ['garbage', 'stale', 'hollow']) await add(small, name);
    writeFileSync(join(dataDir, 'models', 'garbage', 'entry.json'), '{');
    const stale = join(library.storePath('stale'), MANIFEST_FILE);
    writeFileSync(stale, readFileSync(stale, 'utf8').replace(here.runtimeVersion, '0.1.0'));
    rmSync(join(library.storePath('hollow'), MANIFEST_FILE));
    writeFileSync(join(dataDir, 'models', 'notes.txt'), 'not a model');
    library = await ModelLibrary.open(dataDir, here);
    const states = library.list().map(({ name, state }) => [name, state]);
    expect(states).toEqual([
      ['fine', 'ready'],
      ['garbage', 'broken'],
      ['hollow', 'broken'],
      ['stale', 'stale'],
    ]);
    for (const name of ['garbage', 'stale', 'hollow']) await library.remove(name);
    expect(library.list()).toHaveLength(1);
  });

  // What is read from there is answered as a failing disk answers.
  it.skipIf(!existsSync('/proc/self/mem'))(
    'a disk that fails under a model is told as that, and the model is whole afterwards',
    async () => {
      await add(small, 'fine');
      const entry = join(dataDir, 'models', 'fine', 'entry.json');
      renameSync(entry, `${entry}.spare`);
      symlinkSync('/proc/self/mem', entry);
      expect(await failureOf(Promise.resolve().then(() => library.sourcePath('fine')))).toMatchObject({
        code: 'io',
        message: expect.stringMatching(/entry\.json.*check its health \(EIO\)/) as string,
      });
      expect(library.list()[0]).toMatchObject({ state: 'broken', stateReason: expect.any(String) as string });
      renameSync(`${entry}.spare`, entry);
      expect(library.list()[0]).toMatchObject({ name: 'fine', state: 'ready' });
    },
  );

  it.each(['', '.hidden', 'a/b', '../up', 'x'.repeat(65), 'has space', 'a.partial'])(
    'refuses the name %j',
    async (name) => {
      expect((await failureOf(add(small, name))).code).toBe('bad-input');
    },
  );
});

describe('a source that can not be imported', () => {
  const sources: readonly [string, (path: string) => Promise<void> | void, string, RegExp][] = [
    ['is not there', () => undefined, 'not-found', /no file/],
    ['is a folder', (path) => mkdirSync(path), 'not-found', /no file/],
    ['is empty', (path) => writeFileSync(path, ''), 'bad-model', /./],
    [
      'is a picture',
      (path) => writeFileSync(path, Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
      'bad-model',
      /PNG|ONNX/i,
    ],
    [
      'was cut off',
      (path) => writeFileSync(path, readFileSync(small).subarray(0, 700_000)),
      'bad-model',
      /./,
    ],
    [
      'has an unknown operator',
      async (path) => {
        const model = twoProducts(1);
        model.graph.nodes.push(makeNode('Frobnicate', ['y'], ['z']));
        await writeModel(model, path);
      },
      'unsupported',
      /Frobnicate/,
    ],
    [
      'lacks its external data',
      async (path) => {
        const model = twoProducts(1);
        expect(readTensorBytesSync(model.graph.initializers[0]!).length).toBeGreaterThan(0);
        await writeModel(model, path, { externalData: { file: 'gone.data' } });
        rmSync(join(dirname(path), 'gone.data'));
      },
      'bad-model',
      /gone\.data/,
    ],
  ];

  it.each(sources)('%s', async (_, make, code, message) => {
    const path = join(dataDir, 'source.onnx');
    await make(path);
    const failure = await failureOf(add(path, 'bad'));
    expect(failure.message).toMatch(message);
    expect(failure.code).toBe(code);
    expect(files()).toEqual([]);
    expect((await add(small, 'bad')).state).toBe('ready');
  });
});

describe('imports that meet', () => {
  it('two of one name: one is refused, one survives', async () => {
    const outcomes = await Promise.allSettled([add(small, 'both'), add(small, 'both')]);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map((outcome) => (outcome.reason as SluiceError).code)).toEqual(['conflict']);
    expect(library.summary('both').state).toBe('ready');
    expect((await failureOf(add(small, 'both'))).code).toBe('conflict');
    const before = library.storePath('both');
    expect((await add(small, 'both', { replace: true })).state).toBe('ready');
    expect(library.storePath('both')).not.toBe(before);
    expect(files('both').filter((file) => file.startsWith('store-') && !file.includes('/'))).toHaveLength(1);
  });

  const dead = (): number => spawnSync(process.execPath, ['-e', '']).pid;
  it.each([
    ['of a process that died', () => `${dead()}-1`, 0, true],
    [
      'of a process whose id another one bears now',
      () => `${process.pid}-1`,
      0,
      existsSync('/proc/self/stat'),
    ],
    ['that was never filled in', () => '', 60, true],
    ['that is garbage', () => 'garbage', 0, true],
    ['of a living process', () => String(process.ppid), 0, false],
    ['that is being filled in', () => '', 0, false],
  ])('a lock %s', async (_, content, ageSeconds, isTakenOver) => {
    const lock = join(dataDir, 'models', 'locked', 'import.lock');
    mkdirSync(dirname(lock));
    writeFileSync(lock, content());
    const then = performance.timeOrigin / 1000 + performance.now() / 1000 - ageSeconds;
    utimesSync(lock, then, then);
    if (isTakenOver) {
      expect((await add(small, 'locked')).state).toBe('ready');
      expect(existsSync(lock)).toBe(false);
    } else {
      expect((await failureOf(add(small, 'locked'))).code).toBe('conflict');
      library = await ModelLibrary.open(dataDir, here);
      expect(existsSync(lock)).toBe(true);
    }
  });
});

describe('an import that ends early', () => {
  it('cancelled at any moment: nothing is left, the old model stays, the next import works', async () => {
    await add(small, 'kept');
    const before = files('kept').sort();
    const random = seededRandom(11);
    for (let turn = 0; turn < 8; turn += 1) {
      const controller = new AbortController();
      const replaced = add(medium, 'kept', { signal: controller.signal, replace: true });
      setTimeout(() => controller.abort(), random() * 900);
      const outcome = await replaced.catch((error: unknown) => error);
      if (!(outcome instanceof SluiceError)) continue;
      expect(outcome.code).toBe('cancelled');
      if (library.summary('kept').sourceFile === 'small.onnx') expect(files('kept').sort()).toEqual(before);
    }
    expect((await failureOf(add(small, 'new', { signal: AbortSignal.abort() }))).code).toBe('cancelled');
    expect((await add(small, 'kept', { replace: true })).state).toBe('ready');
    expect((await library.verify('kept', () => undefined, never)).ok).toBe(true);
  });

  it('killed at any moment: no store or a whole one, and the library cleans up', async () => {
    const random = seededRandom(12);
    for (let turn = 0; turn < 8; turn += 1) {
      const home = join(dataDir, 'models', 'killed');
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'import.lock'), '999999999-1');
      const storePath = join(home, `store-${turn}`);
      await compileAndKill(
        { sourcePath: medium, storePath, provider: 'cpu', threads: 2 },
        150 + random() * 900,
      );
      if (existsSync(storePath)) {
        const { layers } = readManifest(storePath);
        expect(layers.length).toBeGreaterThan(3);
        for (const layer of layers) expect(existsSync(join(storePath, layer.graph))).toBe(true);
      }
      library = await ModelLibrary.open(dataDir, here);
      expect(files()).toEqual([]);
    }
    expect((await add(small, 'killed')).state).toBe('ready');
  });

  async function compileAndKill(request: CompileRequest, afterMs: number): Promise<void> {
    const child = fork(workerFile('compile-process'), { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.send(request);
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    await ended;
    clearTimeout(timer);
  }

  it('on a full disk: an error that says so, nothing left, the next import works', async (context) => {
    const disk = join(dataDir, 'models');
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small disk can be mounted by root only');
    }
    try {
      const failure = await failureOf(add(medium, 'big'));
      expect(failure.message).toMatch(/disk is full/);
      expect(failure.code).toBe('io');
      expect(files()).toEqual([]);
      expect((await add(small, 'little')).state).toBe('ready');
      expect((await failureOf(add(medium, 'little', { replace: true }))).code).toBe('io');
      expect((await library.verify('little', () => undefined, never)).ok).toBe(true);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
