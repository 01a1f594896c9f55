import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { systemClock } from '../../base';
import { SluiceError } from '../../contract';
import { freePort } from '../bench/free-port';
import { MeasuredProcess, type StartedServer } from './measured-server';

const START_MS = 120_000;
const POLL_MS = 250;

/**
 * MLflow's own server with its default settings and its SQLite store, ready.
 * @throws SluiceError `unavailable` when it can't be installed or does not start.
 */
export async function startMlflowServer(appRoot: string, folder: string): Promise<StartedServer> {
  const script = join(appRoot, 'scripts', 'mlflow-server.mjs');
  if (!existsSync(script))
    throw new SluiceError('unavailable', `${script} is not part of this installation.`);
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const { python, problem } = JSON.parse(stdout) as { python?: string; problem?: string };
  if (python === undefined)
    throw new SluiceError('unavailable', `MLflow could not be installed: ${problem ?? ''}`);
  // MLflow does not tell which port it got when it is given 0.
  const port = await freePort();
  const store = `sqlite:///${join(folder, 'mlflow.db')}`;
  const args = ['--host', '127.0.0.1', '--port', String(port), '--backend-store-uri', store];
  const child = spawn(python, ['-m', 'mlflow', 'server', ...args], {
    cwd: folder,
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', GIT_PYTHON_REFRESH: 'quiet' },
  });
  const server = { url: `http://127.0.0.1:${port}`, process: new MeasuredProcess(child, true) };
  try {
    await untilHealthy(server);
    return server;
  } catch (error) {
    await server.process.end();
    throw error;
  }
}

async function untilHealthy({ url, process: { child } }: StartedServer): Promise<void> {
  const endMs = systemClock.nowMs() + START_MS;
  while (systemClock.nowMs() < endMs && child.exitCode === null) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise<void>((resolve) => systemClock.after(POLL_MS, resolve));
  }
  const how = child.exitCode === null ? `did not answer within ${START_MS / 1000} s` : 'ended at once';
  throw new SluiceError('unavailable', `"mlflow server" ${how}.`);
}
