import type * as Fs from 'node:fs';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { RunHistory } from './run-history';

const watchers = vi.hoisted((): Fs.FSWatcher[] => []);
vi.mock('node:fs', async (load) => {
  const fs = await load<typeof Fs>();
  const watch = (...args: Parameters<typeof fs.watch>): Fs.FSWatcher => {
    const watcher = fs.watch(...args);
    watchers.push(watcher);
    return watcher;
  };
  return { ...fs, watch };
});

let folder: string;
let log: string[];
let history: RunHistory;
let end: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-history-'));
  log = [];
  history = new RunHistory(join(folder, 'runs.json'), (message) => log.push(message));
  end = () => undefined;
});
afterEach(() => {
  end();
  watchers.length = 0;
  rmSync(folder, { recursive: true, force: true });
});

describe('following the runs of other processes', () => {
  it('tells when the file was written', async () => {
    const told = vi.fn();
    end = history.follow(told);
    writeFileSync(join(folder, 'runs.json'), '[]');
    await vi.waitFor(() => expect(told).toHaveBeenCalled());
    expect(log).toEqual([]);
  });

  // A disk that fails for a moment once ended the engine here: nobody handles what a watcher's listener throws.
  it('outlives a file that can not be read just then, and tells of the next change', async () => {
    const path = join(folder, 'runs.json');
    const seen: number[] = [];
    end = history.follow(() => seen.push(history.others().length));
    mkdirSync(path); // reading it fails with EISDIR
    await vi.waitFor(() => expect(log[0]).toContain('show late'));
    expect(log[0]).toContain('EISDIR');
    expect(seen).toEqual([]);
    rmSync(path, { recursive: true });
    writeFileSync(path, '[]');
    await vi.waitFor(() => expect(seen).toContain(0));
  });

  it('outlives a watcher that fails', () => {
    end = history.follow(() => undefined);
    const [watcher] = watchers;
    expect(() => watcher!.emit('error', new Error('EIO: i/o error, watch'))).not.toThrow();
    expect(log).toEqual([expect.stringContaining('EIO: i/o error, watch')]);
  });

  it('does without where there can be no watcher', () => {
    rmSync(folder, { recursive: true });
    end = history.follow(() => undefined);
    expect(log).toEqual([expect.stringContaining('show late')]);
  });
});
