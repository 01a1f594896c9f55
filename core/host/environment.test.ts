import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { appVersion, findAppRoot } from './app-root';
import { dataDirOf, threadsOf } from './environment';
import { fromHostTensors, toHostTensors } from './tensor-bytes';

describe('where things are', () => {
  it.each([
    [{ SLUICE_DATA_DIR: '/data' }, '/data'],
    [{ SLUICE_DATA_DIR: '/data', STATE_DIRECTORY: '/var/lib/sluice' }, '/data'],
    [{ STATE_DIRECTORY: '/var/lib/sluice:/var/lib/more', XDG_DATA_HOME: '/xdg' }, '/var/lib/sluice'],
    [{ STATE_DIRECTORY: '', XDG_DATA_HOME: '/xdg' }, '/xdg/sluice'],
    [{ SLUICE_DATA_DIR: '', XDG_DATA_HOME: '' }, '/home/me/.local/share/sluice'],
  ])('%j keeps data in %s', (env, dir) => expect(dataDirOf(env, '/home/me')).toBe(dir));

  it('finds its own folder from below, and says so when there is none', () => {
    const root = findAppRoot(__dirname);
    expect(appVersion(root)).toMatch(/^\d+\.\d+\.\d+/);
    const elsewhere = mkdtempSync(join(tmpdir(), 'sluice-root-'));
    expect(() => findAppRoot(elsewhere)).toThrow(/No package.json of "sluice"/);
    rmSync(elsewhere, { recursive: true });
  });
});

describe('threads', () => {
  it('are the physical cores unless chosen', () => {
    expect(threadsOf({})).toBeGreaterThanOrEqual(1);
    expect(threadsOf({ SLUICE_THREADS: '3' })).toBe(3);
  });

  it.each(['0', 'two', '1.5', '1000'])('%s is no number of threads', (SLUICE_THREADS) => {
    expect(() => threadsOf({ SLUICE_THREADS })).toThrow(
      expect.objectContaining({ code: 'bad-input' }) as Error,
    );
  });
});

describe('tensors on their way to the engine and back', () => {
  it('keep their values, from any offset', () => {
    const data = new Float32Array([0, 1.5, -2]).subarray(1);
    const sent = toHostTensors(new Map([['x', { dtype: 'float32', shape: [2], data }]]));
    const shifted = new Map(
      [...sent].map(([name, tensor]) => {
        const bytes = new Uint8Array(9);
        bytes.set(tensor.bytes, 1);
        return [name, { ...tensor, bytes: bytes.subarray(1) }];
      }),
    );
    expect(fromHostTensors(shifted).get('x')).toEqual({
      dtype: 'float32',
      shape: [2],
      data: new Float32Array([1.5, -2]),
    });
  });

  it('of a type without numbers are refused by name', () => {
    const bytes = new Uint8Array(2);
    expect(() => fromHostTensors(new Map([['y', { dtype: 'bfloat16', dims: [1], bytes }]]))).toThrow(
      /"y" is bfloat16/,
    );
  });
});
