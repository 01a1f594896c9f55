import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

import { afterAll, describe, expect, it } from 'vitest';

import { seededRandom, workerFile } from '../../../base';
import { cutEnd, flipBits } from './damaged-block';
import { drawFaults, FAULT_KINDS } from './draw-faults';
import { FAULT_VARIABLES, NO_FAULTS, writeFaultState, type FaultState } from './fault-state';

const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-of-soak-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('drawn faults', () => {
  it('are the same for a seed, all kinds come, in their order and within the time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0 }),
        fc.subarray([...FAULT_KINDS], { minLength: 1 }),
        fc.integer({ min: 10_000, max: 3_600_000 }),
        (seed, kinds, totalMs) => {
          const faults = drawFaults(kinds, totalMs, seededRandom(seed));
          expect(faults).toEqual(drawFaults(kinds, totalMs, seededRandom(seed)));
          expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(kinds));
          expect(faults.map(({ atMs }) => atMs)).toEqual(
            faults.map(({ atMs }) => atMs).sort((a, b) => a - b),
          );
          for (const { atMs, durationMs } of faults) {
            expect(atMs + durationMs).toBeLessThanOrEqual(totalMs);
            expect(durationMs).toBeGreaterThan(0);
          }
        },
      ),
    );
  });

  it('leave processes alone after the first third of a long soak, once each kind has come', () => {
    const totalMs = 3_600_000;
    const faults = drawFaults(FAULT_KINDS, totalMs, seededRandom(4)).slice(FAULT_KINDS.length);
    const late = faults.filter(({ atMs }) => atMs > totalMs / 3);
    expect(late.length).toBeGreaterThan(100);
    expect(late.filter(({ kind }) => kind.endsWith('kill'))).toEqual([]);
  });
});

describe('a process with faults', () => {
  const stateFile = join(folder, 'state.json');
  const data = join(folder, 'data.txt');
  /** Reads and writes in every way there is, and says what each came to. */
  const program = `
    const fs = require('node:fs');
    const { open, readFile, writeFile } = require('node:fs/promises');
    const path = process.argv[1];
    const said = {};
    const code = (error) => error.code ?? String(error);
    const sync = (name, work) => { try { said[name] = String(work()); } catch (error) { said[name] = code(error); } };
    const wait = async (name, work) => { try { said[name] = String(await work()); } catch (error) { said[name] = code(error); } };
    const descriptor = fs.openSync(path, 'r+');
    sync('readSync', () => fs.readSync(descriptor, Buffer.alloc(4), 0, 4, 0));
    sync('readFileSync', () => fs.readFileSync(path, 'utf8'));
    sync('writeSync', () => fs.writeSync(descriptor, 'text', 0));
    (async () => {
      await wait('readFile', () => readFile(path, 'utf8'));
      await wait('writeFile', () => writeFile(path, 'text'));
      const handle = await open(path, 'r+');
      await wait('handle.read', async () => (await handle.read(Buffer.alloc(4), 0, 4, 0)).bytesRead);
      await wait('handle.sync', () => handle.sync());
      await handle.close();
      await wait('stream', async () => { let all = ''; for await (const part of fs.createReadStream(path)) all += part; return all; });
      await wait('callback', () => new Promise((resolve, reject) => fs.read(descriptor, Buffer.alloc(4), 0, 4, 0, (error, count) => error ? reject(error) : resolve(count))));
      sync('elsewhere', () => fs.readFileSync('/dev/null', 'utf8'));
      said.aheadMs = Date.now() - performance.timeOrigin - performance.now();
      said.newAheadMs = new Date().getTime() - performance.timeOrigin - performance.now();
      said.isDate = new Date(5) instanceof Date && new Date(5).getTime() === 5;
      console.log(JSON.stringify(said));
    })();`;

  function said(state: Partial<FaultState>): Record<string, unknown> {
    writeFileSync(data, 'text');
    writeFaultState(stateFile, { ...NO_FAULTS, ...state });
    const env = {
      ...process.env,
      NODE_OPTIONS: `--require ${JSON.stringify(workerFile('bench-soak-faults'))}`,
      [FAULT_VARIABLES.file]: stateFile,
      [FAULT_VARIABLES.folder]: folder,
    };
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program, data], { env, encoding: 'utf8' });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('goes on as without them', () => {
    expect(said({})).toMatchObject({
      readSync: '4',
      readFile: 'text',
      'handle.read': '4',
      stream: 'text',
      callback: '4',
      isDate: true,
    });
  });

  it('meets EIO everywhere in its folder, and nowhere else', () => {
    const { elsewhere, aheadMs: _, newAheadMs: __, isDate: ___, ...rest } = said({ errorRatio: 1 });
    expect(new Set(Object.values(rest))).toEqual(new Set(['EIO']));
    expect(elsewhere).toBe('');
  });

  it('reads but does not write on a full disk', () => {
    expect(said({ isFull: true })).toMatchObject({
      readSync: '4',
      writeSync: 'ENOSPC',
      writeFile: 'ENOSPC',
      'handle.sync': 'ENOSPC',
    });
  });

  it('sees another wall clock, and no other clock but that', () => {
    const hourMs = 3_600_000;
    const { aheadMs, newAheadMs, isDate } = said({ clockOffsetMs: -hourMs });
    // The two clocks of a process drift apart by less than that.
    expect(Math.abs(Number(aheadMs) + hourMs)).toBeLessThan(hourMs / 2);
    expect(Math.abs(Number(newAheadMs) + hourMs)).toBeLessThan(hourMs / 2);
    expect(isDate).toBe(true);
  });
});

describe('damage', () => {
  it.each([
    ['bits are turned', flipBits, 64],
    ['the end is cut off', cutEnd, 32],
  ])('%s, and put back', (_what, damage, sizeThen) => {
    const path = join(folder, 'weights.bin');
    const whole = Buffer.from(Array.from({ length: 64 }, (_, at) => at));
    writeFileSync(path, whole);
    const repair = damage(path, 0.5);
    const damaged = readFileSync(path);
    expect(damaged.byteLength).toBe(sizeThen);
    expect(damaged.equals(whole)).toBe(false);
    repair();
    expect(readFileSync(path).equals(whole)).toBe(true);
  });
});
