import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { workerFile } from '../base';
import { writeZooModel, zooNetwork } from '../zoo';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-telemetry-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What tells ONNX Runtime to report nothing, here as on a build server; a user's machine sets none of it. */
const OPT_OUTS = ['ORT_DISABLE_TELEMETRY', 'CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'VITEST'];

// ONNX Runtime keeps an identifier of the machine and a queue of events to upload below the home folder, where it may report.
it('importing and running a network leaves nothing of ONNX Runtime’s telemetry', async () => {
  const home = join(folder, 'home');
  mkdirSync(home);
  const inherited = Object.entries(process.env).filter(([name]) => !OPT_OUTS.includes(name));
  const env = {
    ...Object.fromEntries(inherited),
    ...{ HOME: home, XDG_CACHE_HOME: join(home, '.cache'), SLUICE_DATA_DIR: join(folder, 'data') },
  };
  const cli = (...args: string[]): string =>
    execFileSync(process.execPath, [workerFile('cli'), ...args], { env, encoding: 'utf8', stdio: 'pipe' });
  const network = join(folder, 'tiny-cnn.onnx');
  await writeZooModel(zooNetwork('tiny-cnn'), network, { seed: 1 });
  cli('models', 'import', network, '--json');
  const ran = JSON.parse(cli('run', 'tiny-cnn', '--input', 'random', '--json')) as object;
  expect(ran).toMatchObject({ model: 'tiny-cnn', inferences: 1 });
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});
