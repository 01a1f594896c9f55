import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom, workerFile } from '../../base';
import { SluiceError } from '../../contract';
import type { EngineMessage } from '../../contract';
import type { RemovedFolder } from '../../layering';
import { writeZooModel, zooNetwork } from '../../zoo';
import { EventBus } from '../event-bus';
import type { Library } from './model-ports';
import { RemovedModels } from './removed-models';
import { FakeClock } from '../test-support/fake-clock';
import { runCli } from '../test-support/run-cli';

/** Models by name; moves nothing on a disk. */
class Bench {
  readonly clock = new FakeClock();
  readonly events: EngineMessage[] = [];
  readonly log: string[] = [];
  readonly aside = new Set<string>();
  discardFails = false;
  readonly removed: RemovedModels;

  constructor() {
    const bus = new EventBus();
    bus.subscribe((message) => this.events.push(message));
    const library: Pick<Library, 'remove' | 'restore' | 'discard'> = {
      remove: (name) => {
        this.aside.add(name);
        return Promise.resolve({ name, path: `/aside/${name}`, bytes: 7 });
      },
      restore: ({ name }) => {
        this.aside.delete(name);
        return Promise.resolve({ name } as never);
      },
      discard: ({ name }: RemovedFolder) => {
        if (this.discardFails) return Promise.reject(new SluiceError('io', 'the disk is read-only'));
        this.aside.delete(name);
        return Promise.resolve();
      },
    };
    const log = (line: string): void => void this.log.push(line);
    this.removed = new RemovedModels({ library, bus, clock: this.clock, log });
  }
}

describe('what was removed', () => {
  it('can be put back for ten minutes, then its space is freed and consoles are told', async () => {
    const bench = new Bench();
    const { undoUntil } = await bench.removed.remove('a');
    expect(undoUntil).toBe(new Date(bench.clock.nowMs() + 600_000).toISOString());
    await bench.clock.advance(599_000);
    expect(bench.removed.list()).toMatchObject([{ name: 'a', bytes: 7 }]);
    await bench.clock.advance(1000);
    expect(bench.removed.list()).toEqual([]);
    expect(bench.aside.size).toBe(0);
    expect(bench.events.at(-1)).toEqual({ event: 'removed', payload: [] });
    await expect(bench.removed.restore('a')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('stays when it was put back, and the next removal has its own ten minutes', async () => {
    const bench = new Bench();
    await bench.removed.remove('a');
    await bench.clock.advance(300_000);
    await bench.removed.restore('a');
    await bench.removed.remove('b');
    await bench.clock.advance(400_000);
    expect(bench.removed.list()).toMatchObject([{ name: 'b' }]);
    await bench.removed.remove('c');
    expect([...bench.aside]).toEqual(['c']);
  });

  it('that can not be deleted is told about and is in nobody’s way', async () => {
    const bench = new Bench();
    await bench.removed.remove('a');
    bench.discardFails = true;
    await bench.removed.remove('b');
    expect(bench.log[0]).toMatch(/space of a .*the disk is read-only/);
    expect(bench.removed.list()).toMatchObject([{ name: 'b' }]);
  });
});

describe('sluice models remove, killed at any moment', () => {
  let folder: string;
  let data: string;
  let network: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-removed-'));
    data = join(folder, 'data');
    network = join(folder, 'net.onnx');
    await writeZooModel(zooNetwork('tiny-cnn'), network, { seed: 1, weights: 'inline' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const names = async (): Promise<string> => (await runCli(data, ['models', 'list', '--json'])).stdout;

  it('leaves the model whole or nothing of it', async () => {
    const random = seededRandom(7);
    for (let turn = 0; turn < 6; turn += 1) {
      if (!(await names()).includes('net')) await runCli(data, ['models', 'import', network]);
      const child = spawn(process.execPath, [workerFile('cli'), 'models', 'remove', 'net'], {
        env: { ...process.env, SLUICE_DATA_DIR: data },
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      const timer = setTimeout(() => child.kill('SIGKILL'), 150 + random() * 450);
      await ended;
      clearTimeout(timer);
      if ((await names()).includes('net')) {
        expect(await runCli(data, ['models', 'verify', 'net'])).toMatchObject({ code: 0 });
      } else expect(readdirSync(join(data, 'models'))).toEqual([]);
      expect(existsSync(join(data, 'models', '.removed'))).toBe(false);
    }
  });
});
