import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './lock.mjs';
import { run } from './process.mjs';

describe('withLock', () => {
  let folder, lock;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
    lock = join(folder, 'sub', 'a.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lets one in at a time and cleans up', async () => {
    let inside = 0;
    let most = 0;
    const body = async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    await Promise.all([withLock(lock, body), withLock(lock, body), withLock(lock, body)]);
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it('frees the lock when the body throws', async () => {
    const failing = withLock(lock, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(lock)).toBe(false);
  });

  it('takes over from a dead owner', async () => {
    await withLock(lock, async () => {});
    const { output } = await run(process.execPath, ['-p', 'process.pid']);
    writeFileSync(lock, output.trim());
    expect(await withLock(lock, async () => 'mine', 5000)).toBe('mine');
  });

  it('gives up on a living owner after the time limit, naming it', async () => {
    await withLock(lock, async () => {
      const second = withLock(lock, async () => {}, 100);
      await expect(second).rejects.toThrow(`Process ${process.pid} has held ${lock}`);
    });
  });
});
