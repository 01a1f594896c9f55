import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  isProcessAlive,
  processFolder,
  processMark,
  sweepProcessFolders,
  tryLock,
  withLock,
  writeFileAtomic,
} from './index';

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-shared-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
});

const dead = (): string => `${spawnSync(process.execPath, ['-e', '']).pid}-1`;

describe('a process mark', () => {
  it.skipIf(!existsSync('/proc/self/stat'))('names a process, not its id', () => {
    expect(isProcessAlive(processMark())).toBe(true);
    expect(isProcessAlive(`${process.pid}-1`)).toBe(false);
  });

  it.each(['', 'garbage', '-', '0-1', '-1-1', '1.5-1'])('%j names nobody', (mark) => {
    expect(isProcessAlive(mark)).toBe(false);
  });

  it('names nobody once the process has ended', () => {
    expect(isProcessAlive(dead())).toBe(false);
  });
});

describe('withLock', () => {
  it('lets everybody in, one at a time, when it is taken and given back all the time', async () => {
    const lock = join(folder, 'busy.lock');
    let inside = 0;
    let sections = 0;
    const one = async (): Promise<void> => {
      for (let turn = 0; turn < 150; turn += 1) {
        // Tries in between, which find it taken, free, or just given back.
        const unlock = await tryLock(lock);
        const section = async (): Promise<void> => {
          expect((inside += 1)).toBe(1);
          await Promise.resolve();
          inside -= 1;
          sections += 1;
        };
        if (unlock) await section().finally(unlock);
      }
      await withLock(lock, () => Promise.resolve());
    };
    await Promise.all(Array.from({ length: 6 }, one));
    expect(sections).toBeGreaterThan(0);
    expect(existsSync(lock)).toBe(false);
  });

  it('lets one section at a time change a file', async () => {
    const path = join(folder, 'count');
    writeFileSync(path, '0');
    const add = (): Promise<void> =>
      withLock(`${path}.lock`, async () => {
        const count = Number(readFileSync(path, 'utf8'));
        await sleep(1);
        await writeFileAtomic(path, String(count + 1));
      });
    await Promise.all(Array.from({ length: 30 }, add));
    expect(readFileSync(path, 'utf8')).toBe('30');
    expect(readdirSync(folder)).toEqual(['count']);
  });

  it('gives the lock back after a failure, and takes over that of a dead process', async () => {
    const lock = join(folder, 'lock');
    await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    writeFileSync(lock, dead());
    expect(await withLock(lock, () => Promise.resolve(5))).toBe(5);
    expect(existsSync(lock)).toBe(false);
  });

  it('gives the lock back to a section that throws before it waits', async () => {
    const lock = join(folder, 'at-once.lock');
    const atOnce = (): Promise<never> => {
      throw new Error('EIO');
    };
    await expect(withLock(lock, atOnce)).rejects.toThrow('EIO');
    expect(existsSync(lock)).toBe(false);
  });

  it('waits for another process, also for one that is killed', async () => {
    const lock = join(folder, 'lock');
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    writeFileSync(lock, String(child.pid));
    expect(await tryLock(lock)).toBeUndefined();
    let entered = false;
    const waiting = withLock(lock, () => Promise.resolve((entered = true)));
    await sleep(50);
    expect(entered).toBe(false);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    expect(await waiting).toBe(true);
  });

  it('says so when the folder is gone', async () => {
    await expect(withLock(join(folder, 'nowhere', 'lock'), () => Promise.resolve())).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('folders of processes', () => {
  it('are swept once their process is gone', async () => {
    await sweepProcessFolders(join(folder, 'none'));
    mkdirSync(join(processFolder(folder), 'mine'), { recursive: true });
    for (const name of [dead(), 'garbage']) mkdirSync(join(folder, name, 'theirs'), { recursive: true });
    await sweepProcessFolders(folder);
    expect(readdirSync(folder)).toEqual([processMark()]);
    rmSync(processFolder(folder), { recursive: true });
    await sweepProcessFolders(folder);
    expect(existsSync(folder)).toBe(false);
  });
});
