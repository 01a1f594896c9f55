import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lastLines } from './install.mjs';
import { endMarked, freePort, markOf } from './marked-processes.mjs';
import { run } from './process.mjs';
import { ensureVenv } from './python-venv.mjs';
import { SetupError } from './terminal.mjs';

/** From 2.9 on a job's exit code is told. */
const REQUIREMENT = 'ray[default]>=2.9,<3';
/** The one node; said to be larger than small machines are, so that jobs can share it anywhere. */
export const NODE = { cpus: 4, memoryBytes: 2 ** 31, gpus: 2 };
const START_MS = 120_000;

/** @returns {Promise<{python: string} | {problem: string}>} an interpreter with Ray, or why there is none. */
export function ensureRay() {
  // Its processes are found and ended through /proc.
  if (process.platform !== 'linux')
    return Promise.resolve({ problem: 'Ray is started for tests on Linux alone' });
  return ensureVenv('ray', REQUIREMENT, 'ray.dashboard.dashboard');
}

/**
 * Starts a Ray cluster of one node on loopback, with its files in a temporary folder.
 *
 * @param {string} python as `ensureRay` gives it
 * @returns {Promise<{url: string, folder: string, end: () => Promise<void>}>} once it answers; `end` ends all its processes.
 * @throws SetupError with what Ray said.
 */
export async function startRay(python) {
  const id = randomBytes(8).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'ray-'));
  const end = async () => {
    await endMarked(id, 2000);
    await rm(folder, { recursive: true, force: true });
  };
  const port = await freePort();
  const args = await startArguments(folder, port);
  const env = { ...(await environment(folder)), ...markOf(id) };
  const { code, output } = await run(join(dirname(python), 'ray'), args, { env, timeoutMs: START_MS });
  const url = `http://127.0.0.1:${port}`;
  if (code !== 0) {
    await end();
    throw new SetupError(`ray start failed (exit ${code}):\n${lastLines(output, 10)}`);
  }
  return { url, folder, end };
}

async function startArguments(folder, dashboardPort) {
  return [
    'start',
    '--head',
    '--port=0',
    `--ray-client-server-port=${await freePort()}`,
    '--dashboard-host=127.0.0.1',
    `--dashboard-port=${dashboardPort}`,
    `--dashboard-agent-listen-port=${await freePort()}`,
    `--num-cpus=${NODE.cpus}`,
    `--num-gpus=${NODE.gpus}`,
    `--memory=${NODE.memoryBytes}`,
    `--object-store-memory=${80e6}`,
    '--include-log-monitor=false',
    '--disable-usage-stats',
    `--temp-dir=${folder}`,
  ];
}

async function environment(folder) {
  return {
    // Otherwise Ray listens on the machine's own address even when it is told to use loopback.
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER: '0',
    AUTOSCALER_METRIC_PORT: String(await freePort()),
    DASHBOARD_METRIC_PORT: String(await freePort()),
    HOME: folder,
  };
}
