import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
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
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { SluiceError } from '../../contract';
import { Decoder, type WeightBudget } from '../decoder/decoder';
import { tinyModel } from '../test-support/tiny-model';
import { logits, useStreamedGround, type Streamed } from './test-support/streamed-ground';

const ground = useStreamedGround();

const weightsFile = ({ storeFolder }: Streamed): string => join(storeFolder, 'weights.bin');

function flipBit(made: Streamed, at: number): void {
  const file = openSync(weightsFile(made), 'r+');
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

/** The least budget, of some, with which a part of the weights stays in memory; what sessions take is measured, and differs. */
async function partlyResident({ source, storeFolder, budgetBytes }: Streamed): Promise<WeightBudget> {
  for (let share = 1.2; share < 4; share += 0.1) {
    const weights = { budgetBytes: Math.ceil(share * budgetBytes), storeFolder };
    const memory = await ground.withDecoder(source, { weights }, (decoder) =>
      Promise.resolve(decoder.weightMemory()),
    );
    if (memory.residentBytes > 0 && memory.streamedBytesPerPass > 0) return weights;
  }
  throw new Error('No budget keeps some weights in memory and streams the others.');
}

describe('a store of weights', () => {
  it.each([0, 5000, -1])('with a flipped bit at %i is found out, and made anew', async (at) => {
    const made = await ground.streamed();
    const { source, storeFolder, budgetBytes, expected } = made;
    const weights = { budgetBytes, storeFolder };
    await ground.withDecoder(source, { weights }, async (decoder) => {
      flipBit(made, at < 0 ? readFileSync(weightsFile(made)).byteLength + at : at);
      expect(await failure(decoder)).toMatchObject({
        code: 'corrupt-store',
        message: expect.stringMatching(/is not what was written there.*laid out anew/) as string,
      });
    });
    // Sessions are measured anew.
    const again = { ...weights, budgetBytes: 2 * budgetBytes };
    expect((await ground.withDecoder(source, { weights: again }, logits)).equals(expected)).toBe(true);
  });

  it('that is damaged is found out where weights stay in memory too', async () => {
    const made = await ground.streamed();
    const { source, expected } = made;
    const weights = await partlyResident(made);
    flipBit(made, 5000);
    flipBit(made, readFileSync(weightsFile(made)).byteLength - 5000);
    // Found while opening, the store is made anew and its sessions measured anew: more than before may be needed.
    const bits = await ground.withDecoder(source, { weights }, logits).catch((error: unknown) => error);
    if (Buffer.isBuffer(bits)) expect(bits.equals(expected)).toBe(true);
    else expect((bits as SluiceError).code).toMatch(/^(corrupt-store|budget-too-small)$/);
  });

  it('that can not be read fails the pass, and the next one works when it can', async () => {
    const made = await ground.streamed();
    const { source, storeFolder, budgetBytes, expected } = made;
    await ground.withDecoder(source, { weights: { budgetBytes, storeFolder } }, async (decoder) => {
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
    const made = await ground.streamed();
    const { source, storeFolder, budgetBytes, expected } = made;
    harm(made);
    // Sessions are measured anew.
    const weights = { budgetBytes: 2 * budgetBytes, storeFolder };
    expect((await ground.withDecoder(source, { weights }, logits)).equals(expected)).toBe(true);
    expect(existsSync(join(storeFolder, 'steps.json'))).toBe(true);
  });

  it('leaves nothing when it is cancelled', async () => {
    const source = await ground.read(tinyModel());
    const parent = join(ground.folder, 'cancelled');
    const weights = { budgetBytes: 1, storeFolder: join(parent, 'store') };
    const stop = new AbortController();
    const opening = Decoder.open(source, ground.environment, { weights, signal: stop.signal });
    setImmediate(() => setImmediate(() => stop.abort()));
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(parent) ? readdirSync(parent) : []).toEqual([]);
  });

  it('leaves nothing on a full disk, and says so', async (context) => {
    const source = await ground.read(tinyModel());
    const disk = join(ground.folder, 'small-disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small disk can be mounted by root only');
    }
    try {
      const weights = { budgetBytes: 1, storeFolder: join(disk, 'store') };
      await expect(Decoder.open(source, ground.environment, { weights })).rejects.toMatchObject({
        code: 'io',
        message: expect.stringMatching(/the disk is full/) as string,
      });
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
