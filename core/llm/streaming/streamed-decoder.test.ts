import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SluiceError } from '../../contract';
import { heapBytes, OrtEnvironment } from '../../ort';
import { Decoder, type DecoderOptions, type WeightBudget } from '../decoder/decoder';
import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import type { ModelSource } from '../source/model-source';
import { TensorReader } from '../source/tensor-reader';
import { smolLm2, SMOLLM2_SET_UP_MS } from '../test-support/smollm2';
import { tinyModel, type TinyModelOptions } from '../test-support/tiny-model';
import { openSteps } from './open-steps';
import { StreamedSteps } from './streamed-steps';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let folder: string;
let environment: OrtEnvironment;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-streaming-'));
  environment = OrtEnvironment.open({ threads: 2 });
});
afterAll(() => {
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
async function read(bytes: Uint8Array): Promise<ModelSource> {
  const file = join(folder, `${files++}.gguf`);
  writeFileSync(file, bytes);
  return ggufSource(await readGguf(file));
}

const text = (length: number): number[] => Array.from({ length }, (_, index) => (index * 7919 + 13) % 320);

/** Logits of passes of 1, 8, 70 and again 1 tokens. */
async function logits(decoder: Decoder): Promise<Buffer> {
  const cache = decoder.createCache(128);
  const parts: Buffer[] = [];
  let at = 0;
  for (const [count, rows] of [
    [1, 1],
    [8, 8],
    [70, 3],
    [2, 0],
    [1, 1],
  ] as const) {
    const found = await decoder.forward(text(128).slice(at, at + count), cache, rows);
    parts.push(Buffer.from(found.slice().buffer));
    at += count;
  }
  cache.release();
  return Buffer.concat(parts);
}

async function withDecoder<T>(
  source: ModelSource,
  options: DecoderOptions,
  use: (decoder: Decoder) => Promise<T>,
): Promise<T> {
  const decoder = await Decoder.open(source, environment, options);
  try {
    return await use(decoder);
  } finally {
    decoder.close();
  }
}

async function leastBudget(
  source: ModelSource,
  storeFolder: string,
  options: DecoderOptions,
): Promise<number> {
  const failed = await Decoder.open(source, environment, {
    ...options,
    weights: { budgetBytes: 1, storeFolder },
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 'budget-too-small' });
  return Number((failed as SluiceError).details['minimumBytes']);
}

const MODELS: readonly TinyModelOptions[] = [
  { architecture: 'llama', weights: 'Q4_1' },
  { architecture: 'llama', weights: 'Q6_K', heads: 8, kvHeads: 8 },
  { architecture: 'qwen2', weights: 'Q8_0' },
  { architecture: 'qwen3', weights: 'F32' },
];

describe('a decoder whose weights stream', () => {
  it.each(MODELS.map((model) => [`${model.architecture} ${model.weights}`, model] as const))(
    'of %s gives the bits of one in memory',
    async (_name, model) => {
      const source = await read(tinyModel(model));
      for (const precision of ['packed', 'float32'] as const) {
        const storeFolder = join(folder, `${files}-${precision}`);
        const resident = await withDecoder(source, { precision }, logits);
        const budgetBytes = await leastBudget(source, storeFolder, { precision });
        await withDecoder(source, { precision, weights: { budgetBytes, storeFolder } }, async (decoder) => {
          const { streamedBytesPerPass, residentBytes, ringBytes, sessionBytes } = decoder.weightMemory();
          expect(streamedBytesPerPass).toBeGreaterThan(0);
          expect(residentBytes + ringBytes + sessionBytes).toBeLessThanOrEqual(budgetBytes);
          expect((await logits(decoder)).equals(resident)).toBe(true);
          expect((await logits(decoder)).equals(resident)).toBe(true);
        });
      }
    },
  );
});

interface Streamed {
  readonly source: ModelSource;
  readonly storeFolder: string;
  /** The least there is. */
  readonly budgetBytes: number;
  readonly expected: Buffer;
}

/** A small model of which every weight streams, and the bits it gives. */
async function streamed(): Promise<Streamed> {
  const source = await read(tinyModel());
  const storeFolder = join(folder, `${files++}-store`);
  const expected = await withDecoder(source, {}, logits);
  return { source, storeFolder, expected, budgetBytes: await leastBudget(source, storeFolder, {}) };
}

const weightsFile = ({ storeFolder }: Streamed): string => join(storeFolder, 'weights.bin');

function flipBit({ storeFolder }: Streamed, at: number): void {
  const file = openSync(join(storeFolder, 'weights.bin'), 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0]! ^= 4;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** What a decoder says that fails sooner or later: what was read before may still be good. */
async function failure(decoder: Decoder): Promise<unknown> {
  const cache = decoder.createCache(8);
  try {
    for (let pass = 0; pass < 8; pass += 1) await decoder.forward([pass], cache, 1);
  } catch (error) {
    return error;
  } finally {
    cache.release();
  }
  return undefined;
}

describe('under any budget', () => {
  it('a decoder gives the same bits within it, or says what is the least', async () => {
    const { source, storeFolder, expected, budgetBytes: least } = await streamed();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 * least }), async (budgetBytes) => {
        const opening = Decoder.open(source, environment, { weights: { budgetBytes, storeFolder } });
        const decoder = await opening.catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'budget-too-small', details: { minimumBytes: least } });
        });
        expect(decoder !== undefined).toBe(budgetBytes >= least);
        if (!decoder) return;
        const { residentBytes, ringBytes, sessionBytes } = decoder.weightMemory();
        expect(residentBytes + ringBytes + sessionBytes).toBeLessThanOrEqual(budgetBytes);
        expect((await logits(decoder)).equals(expected)).toBe(true);
        decoder.close();
      }),
      { numRuns: 12, examples: [[least], [least - 1]] },
    );
  });

  it('two decoders stream from one store at once', async () => {
    const { source, storeFolder, expected, budgetBytes } = await streamed();
    const weights = { budgetBytes, storeFolder };
    const found = await Promise.all([0, 1].map(() => withDecoder(source, { weights }, logits)));
    for (const bits of found) expect(bits.equals(expected)).toBe(true);
  });

  it('passes that are given up leave the next one as it would be', async () => {
    const { source, storeFolder, expected, budgetBytes } = await streamed();
    await withDecoder(source, { weights: { budgetBytes, storeFolder } }, async (decoder) => {
      const cache = decoder.createCache(512);
      for (const turns of [0, 1, 2, 4, 7]) {
        const stop = new AbortController();
        const pass = decoder.forward(text(400), cache, 1, stop.signal);
        const ended = expect(pass).rejects.toMatchObject({ code: 'cancelled' });
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        stop.abort();
        await ended;
        expect(cache.position).toBe(0);
      }
      cache.release();
      expect((await logits(decoder)).equals(expected)).toBe(true);
    });
  });

  it('a decoder that is closed in the middle ends its pass', async () => {
    const { source, storeFolder, budgetBytes } = await streamed();
    const decoder = await Decoder.open(source, environment, { weights: { budgetBytes, storeFolder } });
    const cache = decoder.createCache(8);
    const pass = decoder.forward([1], cache, 1);
    decoder.close();
    await expect(pass).rejects.toMatchObject({ code: 'cancelled' });
    cache.release();
  });

  it('nothing stays behind: sessions, given up and not, and what was made ahead', async () => {
    const { source, storeFolder, budgetBytes } = await streamed();
    const turn = async (): Promise<void> => {
      const reader = new TensorReader(source);
      const { config } = source;
      const options = { config, precision: 'packed', budgetBytes, storeFolder } as const;
      const steps = await openSteps(source, reader, environment, options);
      for (let step = 0; step < 3; step += 1) {
        await steps.acquire(step);
        steps.release(step);
      }
      steps.endPass();
      await steps.acquire(0);
      steps.close();
      if (steps instanceof StreamedSteps) await steps.ended();
      reader.close();
    };
    const used = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round += 1) await turn();
      collectGarbage();
      return heapBytes() ?? 0;
    };
    await used(3);
    const before = await used(3);
    // A session left behind would be 400 KB, twelve times; koffi leaves some 20 KB for each thread that loads it.
    // A thread that has just ended may hold a MB for a moment more.
    const after = [await used(12), await used(1), await used(1), await used(1)];
    expect(Math.min(...after) - before).toBeLessThan(3 << 20);
  });

  it('SmolLM2 gives the bits it has in memory', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
    const source = ggufSource(await readGguf(await smolLm2(test)));
    const bits = async (decoder: Decoder): Promise<Buffer> => {
      const cache = decoder.createCache(16);
      const first = Buffer.from((await decoder.forward(text(9), cache, 9)).slice().buffer);
      const next = Buffer.from((await decoder.forward([7], cache, 1)).slice().buffer);
      cache.release();
      return Buffer.concat([first, next]);
    };
    const expected = await withDecoder(source, {}, bits);
    const weights = { budgetBytes: 50_000_000, storeFolder: join(folder, 'smollm2') };
    const found = await withDecoder(source, { weights }, async (decoder) => {
      expect(decoder.weightMemory().streamedBytesPerPass).toBeGreaterThan(40_000_000);
      return bits(decoder);
    });
    expect(found.equals(expected)).toBe(true);
  });
});

/** The least budget, of some, with which a part of the weights stays in memory; what sessions take is measured, and differs. */
async function partlyResident({ source, storeFolder, budgetBytes }: Streamed): Promise<WeightBudget> {
  for (let share = 1.2; share < 4; share += 0.1) {
    const weights = { budgetBytes: Math.ceil(share * budgetBytes), storeFolder };
    const memory = await withDecoder(source, { weights }, (decoder) =>
      Promise.resolve(decoder.weightMemory()),
    );
    if (memory.residentBytes > 0 && memory.streamedBytesPerPass > 0) return weights;
  }
  throw new Error('No budget keeps some weights in memory and streams the others.');
}

describe('a store of weights', () => {
  it.each([0, 5000, -1])('with a flipped bit at %i is found out, and made anew', async (at) => {
    const made = await streamed();
    const { source, storeFolder, budgetBytes, expected } = made;
    const weights = { budgetBytes, storeFolder };
    await withDecoder(source, { weights }, async (decoder) => {
      flipBit(made, at < 0 ? readFileSync(weightsFile(made)).byteLength + at : at);
      expect(await failure(decoder)).toMatchObject({
        code: 'corrupt-store',
        message: expect.stringMatching(/is not what was written there.*laid out anew/) as string,
      });
    });
    // Sessions are measured anew.
    const again = { ...weights, budgetBytes: 2 * budgetBytes };
    expect((await withDecoder(source, { weights: again }, logits)).equals(expected)).toBe(true);
  });

  it('that is damaged is found out where weights stay in memory too', async () => {
    const made = await streamed();
    const { source, expected } = made;
    const weights = await partlyResident(made);
    flipBit(made, 5000);
    flipBit(made, readFileSync(weightsFile(made)).byteLength - 5000);
    // Found while opening, the store is made anew and its sessions measured anew: more than before may be needed.
    const bits = await withDecoder(source, { weights }, logits).catch((error: unknown) => error);
    if (Buffer.isBuffer(bits)) expect(bits.equals(expected)).toBe(true);
    else expect((bits as SluiceError).code).toMatch(/^(corrupt-store|budget-too-small)$/);
  });

  it('that can not be read fails the pass, and the next one works when it can', async () => {
    const made = await streamed();
    const { source, storeFolder, budgetBytes, expected } = made;
    await withDecoder(source, { weights: { budgetBytes, storeFolder } }, async (decoder) => {
      const whole = readFileSync(weightsFile(made));
      truncateSync(weightsFile(made), 4096);
      expect(await failure(decoder)).toMatchObject({
        code: 'io',
        message: expect.stringMatching(/the file ended early/) as string,
      });
      writeFileSync(weightsFile(made), whole);
      expect((await logits(decoder)).equals(expected)).toBe(true);
    });
  });

  it.each<readonly [string, (made: Streamed) => void]>([
    ['of a model that changed', ({ source }) => utimesSync(source.path, 1, 1)],
    ['without its list', ({ storeFolder }) => rmSync(join(storeFolder, 'steps.json'))],
    ['whose list is damaged', ({ storeFolder }) => writeFileSync(join(storeFolder, 'steps.json'), '{')],
    ['that is too short', (made) => truncateSync(weightsFile(made), 4096)],
  ])('%s is made anew', async (_name, harm) => {
    const made = await streamed();
    const { source, storeFolder, budgetBytes, expected } = made;
    harm(made);
    // Sessions are measured anew.
    const weights = { budgetBytes: 2 * budgetBytes, storeFolder };
    expect((await withDecoder(source, { weights }, logits)).equals(expected)).toBe(true);
    expect(existsSync(join(storeFolder, 'steps.json'))).toBe(true);
  });

  it('leaves nothing when it is cancelled', async () => {
    const source = await read(tinyModel());
    const parent = join(folder, 'cancelled');
    const weights = { budgetBytes: 1, storeFolder: join(parent, 'store') };
    const stop = new AbortController();
    const opening = Decoder.open(source, environment, { weights, signal: stop.signal });
    setImmediate(() => setImmediate(() => stop.abort()));
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(parent) ? readdirSync(parent) : []).toEqual([]);
  });

  it('leaves nothing on a full disk, and says so', async (context) => {
    const source = await read(tinyModel());
    const disk = join(folder, 'small-disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small disk can be mounted by root only');
    }
    try {
      const weights = { budgetBytes: 1, storeFolder: join(disk, 'store') };
      await expect(Decoder.open(source, environment, { weights })).rejects.toMatchObject({
        code: 'io',
        message: expect.stringMatching(/the disk is full/) as string,
      });
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
