import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { seededRandom } from '../../../base';
import { DEFAULT_LIMITS } from '../../../serving';
import { findAppRoot } from '../../app-root';
import { LabApi } from '../connection/lab-api';
import { serveLab, type ServedLab } from '../connection/open-lab';
import { sensorData } from './sensor-data';
import { startExample, type ExampleOptions } from './start-example';

let dataDir: string;
let served: ServedLab;
let options: ExampleOptions;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-lab-example-'));
  const onFault = (message: string): void => expect.unreachable(message);
  served = await serveLab(
    { folder: join(dataDir, 'lab'), onFault },
    { host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS },
  );
  const { url, token } = served.address;
  options = { api: new LabApi(url, token, 'ada'), appRoot: findAppRoot(import.meta.dirname), dataDir };
});
afterAll(async () => {
  for (const { runId, state } of served.lab.runs.list({ most: 10 })) {
    if (state !== 'succeeded') served.lab.runs.stop(runId, 0);
  }
  await vi.waitFor(() => expect(served.lab.queue.open()).toEqual([]), 20_000);
  await served.close();
  rmSync(dataDir, { recursive: true });
});

describe('the example', () => {
  it('is laid out once, and runs each time it is started', async () => {
    const first = await startExample(options);
    expect(first).toMatchObject({ name: 'ada/edge-box/1', user: 'ada', entry: 'state.mjs' });
    const changed = join(dataDir, 'lab-example', 'state.mjs');
    writeFileSync(changed, `${readFileSync(changed, 'utf8')}// mine\n`);
    const second = await startExample(options);
    expect(second.name).toBe('ada/edge-box/2');
    expect(readFileSync(changed, 'utf8')).toMatch(/\/\/ mine\n$/);
    const [dataset, ...others] = served.lab.datasets.catalog.list({ name: 'ben' });
    expect(others).toEqual([]);
    expect(dataset).toMatchObject({ name: 'edge-box', owner: 'ada', versions: [{ number: 1 }] });
    expect(served.lab.competitions.list().map(({ name }) => name)).toHaveLength(3);
  });

  it('logs a curve while it runs', async () => {
    const [run] = served.lab.runs.list({ most: 10 });
    const points = (): number => served.lab.tracking.history(run!.runId, 'val_accuracy').length;
    await vi.waitFor(() => expect(points()).toBeGreaterThan(2), 20_000);
  });

  it('leaves the answers nowhere but in the dataset', () => {
    expect(readdirSync(dataDir).sort()).toEqual(['lab', 'lab-example']);
    expect(existsSync(join(dataDir, 'lab-example', 'data'))).toBe(false);
  });

  it('makes the same data each time, its test part without what is asked', () => {
    const [data, again] = [sensorData(seededRandom(7)), sensorData(seededRandom(7))];
    expect(again).toEqual(data);
    const [header = '', ...rows] = data.get('test/readings.csv')!.trim().split('\n');
    expect(header.split(',')).toHaveLength(49);
    expect(header).not.toMatch(/state|heat/);
    const ids = rows.map((row) => row.split(',')[0]);
    for (const path of ['hidden/state.csv', 'hidden/heat.csv']) {
      const answers = data.get(path)!.trim().split('\n').slice(1);
      expect(answers.map((row) => row.split(',')[0])).toEqual(ids);
    }
    const lengths = (path: string, key: string): ReadonlySet<number> =>
      new Set(
        data
          .get(path)!
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as Record<string, readonly string[]>)[key]!.length),
      );
    expect(lengths('test/events.jsonl', 'events')).toEqual(new Set([32]));
    expect(lengths('hidden/events.jsonl', 'answer')).toEqual(new Set([8]));
  });
});
