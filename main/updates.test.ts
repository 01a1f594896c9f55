import { describe, expect, it, vi } from 'vitest';

import type { UpdateState } from '../core/contract';
import { createUpdates } from './updates';
import type { Updater, Updates } from './updates';

interface Bench {
  readonly updates: Updates;
  readonly told: readonly UpdateState[];
  readonly load: ReturnType<typeof vi.fn>;
  readonly until: (state: UpdateState['state']) => Promise<void>;
}

function bench(updater: Partial<Updater> = {}, off?: string): Bench {
  const told: UpdateState[] = [];
  const load = vi.fn(async (): Promise<Updater> => ({
    newest: async () => ({ version: '2.0.0', isNewer: true }),
    download: async () => undefined,
    install: () => undefined,
    ...updater,
  }));
  const updates = createUpdates({ off, load, onState: (state) => told.push(state) });
  const until = (state: UpdateState['state']): Promise<void> =>
    vi.waitFor(() => expect(updates.state().state).toBe(state), { interval: 1 });
  return { updates, told, load, until };
}

describe('updates', () => {
  it('ask nobody while they are off, and say why', () => {
    const { updates, told, load } = bench({}, 'Updates are off.');
    updates.check();
    updates.download();
    updates.install();
    expect(load).not.toHaveBeenCalled();
    expect(told).toEqual([{ state: 'off', reason: 'Updates are off.' }]);
  });

  it('load nothing before somebody asks', () => {
    const { updates, load } = bench();
    expect(updates.state()).toEqual({ state: 'idle' });
    updates.download();
    updates.install();
    expect(load).not.toHaveBeenCalled();
  });

  it('go from a check to a download to an installation, each asked for', async () => {
    const install = vi.fn();
    const download = async (onPercent: (percent: number) => void): Promise<void> => {
      for (const percent of [0, 0.4, 50.2, 50.9, 100.1]) onPercent(percent);
    };
    const { updates, told, until } = bench({ download, install });
    updates.check();
    updates.check(); // busy: the same check
    await until('available');
    updates.download();
    await until('ready');
    expect(install).not.toHaveBeenCalled();
    updates.install();
    expect(install).toHaveBeenCalledOnce();
    const version = '2.0.0';
    expect(told).toEqual([
      { state: 'checking' },
      { state: 'available', version },
      { state: 'downloading', version, percent: 0 },
      { state: 'downloading', version, percent: 50 },
      { state: 'downloading', version, percent: 100 },
      { state: 'ready', version },
    ]);
  });

  it('say that this is the newest version', async () => {
    const { updates, until } = bench({ newest: async () => ({ version: '1.0.0', isNewer: false }) });
    updates.check();
    await until('current');
    expect(updates.download()).toEqual({ state: 'current', version: '1.0.0' });
  });

  it('tell a failure in one line, and can be asked again', async () => {
    const newest = vi
      .fn<Updater['newest']>()
      .mockRejectedValueOnce(new Error('net::ERR_FAILED\n    at stack'));
    newest.mockResolvedValue({ version: '2.0.0', isNewer: true });
    const download = async (): Promise<void> => {
      throw new Error('sha512 checksum mismatch, expected a, got b');
    };
    const { updates, until } = bench({ newest, download });
    updates.check();
    await until('failed');
    expect(updates.state()).toEqual({
      state: 'failed',
      message: 'The check for updates failed: net::ERR_FAILED',
    });
    updates.check();
    await until('available');
    updates.download();
    await until('failed');
    expect(updates.state()).toMatchObject({
      message: expect.stringContaining('checksum mismatch') as string,
    });
    expect(updates.install().state).toBe('failed');
  });
});
