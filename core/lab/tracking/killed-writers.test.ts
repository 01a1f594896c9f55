import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from './tracking-schema';
import { TrackingStore } from './tracking-store';

const KILLS = 200;
/** Acknowledgements after which a process is killed, at most. */
const MOST_BATCHES = 60;
const TIMEOUT_MS = 300_000;
const ROOT = resolve(import.meta.dirname, '../../..');
const clock = { nowMs: () => 1, after: () => () => undefined };

const folder = mkdtempSync(join(tmpdir(), 'sluice-killed-writers-'));
const program = join(folder, 'writing-process.cjs');
const path = join(folder, 'lab.db');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const entry = join(import.meta.dirname, 'test-support', 'writing-process.ts');
  // A process each time: starting it must cost little.
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: 'node',
    external: ['libsql'],
  });
});

/** What a process was told is safe, of one of its writers. */
interface Acknowledged {
  runId: string;
  points: number;
  params: number;
}

/**
 * Starts a process that writes, and kills it `afterMs` after its line number `lines`.
 * @returns what it was told is safe, by writer.
 */
async function killWriters(seed: number, lines: number, afterMs: number): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, [program, path, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules') },
  });
  const closed = once(child, 'close');
  const told = new Map<string, Acknowledged>();
  let count = 0;
  for await (const line of createInterface(child.stdout)) {
    const [what, writer = '', ...rest] = line.split(' ');
    if (what === 'run') told.set(writer, { runId: rest[0]!, points: 0, params: 0 });
    const known = told.get(writer);
    if (what === 'points' && known) [known.points, known.params] = [Number(rest[0]), Number(rest[1])];
    count += 1;
    if (count === lines) setTimeout(() => child.kill('SIGKILL'), afterMs);
  }
  expect(await closed).toEqual([null, 'SIGKILL']);
  return [...told.values()];
}

/** Opens what was left behind, and looks at runs that were written: nothing is missing, halved, twice or made up. */
function check(written: readonly Acknowledged[]): number {
  const database = LabDatabase.open(path, [TRACKING_SCHEMA]);
  try {
    const store = new TrackingStore(database, { clock, random: seededRandom(1), artifactRoot: 'file:/a' });
    for (const { runId, points, params } of written) {
      const steps = [...store.history(runId, 'loss')].map(({ step, value }) => [Number(step), value]);
      expect(steps).toEqual(Array.from({ length: steps.length }, (_, step) => [step, step]));
      expect(steps.length).toBeGreaterThanOrEqual(points);
      const found = store.runs.get(runId).params.length;
      // What was on its way is there, whole, or not at all.
      expect(found - params).toBeGreaterThanOrEqual(0);
      expect(found - params).toBeLessThanOrEqual(1);
      expect(steps.length > points).toBe(found > params);
    }
    return written.reduce((sum, { points }) => sum + points, 0);
  } finally {
    database.close();
  }
}

it(
  `a store that is written by four at once outlives ${KILLS} kills`,
  async () => {
    const random = seededRandom(2026);
    const all: Acknowledged[] = [];
    let unchecked: Acknowledged[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Some while they open the store that the one before left behind.
      const isEarly = random() < 0.15;
      const lines = isEarly ? 1 : 1 + Math.floor(random() * MOST_BATCHES);
      const written = await killWriters(kill, lines, random() * (isEarly ? 12 : 3));
      unchecked.push(...written);
      all.push(...written);
      if (random() < 0.3) continue;
      check(unchecked);
      unchecked = [];
    }
    expect(check(all)).toBeGreaterThan(KILLS * MOST_BATCHES);
  },
  TIMEOUT_MS,
);
