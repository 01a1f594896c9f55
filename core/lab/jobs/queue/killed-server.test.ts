import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { seededRandom } from '../../../base';
import { makeGround, processesOf } from '../test-support/job-fixtures';

const JOBS = 12;
const KILLS = 12;
const OUT = resolve(__dirname, '../../../../out');
let bundle: string;

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  // Below out/, so that it finds the built supervisor and the packages.
  bundle = mkdtempSync(join(OUT, 'test-queue-server-'));
  await build({
    entryPoints: [resolve(__dirname, '../test-support/queue-server-process.ts')],
    outfile: join(bundle, 'server.js'),
    bundle: true,
    platform: 'node',
    target: 'node18',
    packages: 'external',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(bundle, { recursive: true, force: true }));

function start(root: string): ChildProcess {
  const args = [join(bundle, 'server.js'), root, String(JOBS)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

it('a server killed again and again at random: each job ran once, and its end is known', async () => {
  const ground = makeGround();
  const random = seededRandom(5);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = start(ground.root);
    const exited = once(server, 'exit');
    // Anywhere from before its first line to the middle of its work; when exactly does not matter.
    if (kill % 4 !== 0) await Promise.race([once(server.stdout!, 'data'), exited]);
    await Promise.race([sleep(random() * 250), exited]);
    server.kill('SIGKILL');
    await exited;
  }
  const last = start(ground.root);
  const chunks: Buffer[] = [];
  last.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
  expect(await once(last, 'close')).toEqual([0, null]);
  const states = JSON.parse(Buffer.concat(chunks).toString().split('\n').at(-1)!) as string[];
  expect(states).toEqual(Array.from({ length: JOBS }, () => 'failed'));
  const ran = readFileSync(join(ground.root, 'ran.txt'), 'utf8').trim().split('\n').sort();
  expect(ran).toEqual(Array.from({ length: JOBS }, (_, index) => `job-${index}`).sort());
  expect(processesOf(ground)).toEqual([]);
  ground.remove();
}, 120_000);
