import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, expect, it, onTestFinished } from 'vitest';

import { findAppRoot } from '../app-root';
import { getJson } from './mlflow-http';
import { startMlflowServer } from './mlflow-server';
import type { StartedServer } from './measured-server';

const TIMEOUT_MS = 180_000;
const appRoot = findAppRoot(import.meta.dirname);
/** Only the benchmark installs it: it is large. */
const isInstalled = existsSync(join(appRoot, '.cache', 'mlflow-server', 'installed'));
const program = join(appRoot, 'core', 'lab', 'client', 'test-support', 'logging.mjs');

let server: StartedServer | undefined;
afterEach(async () => {
  await server?.process.end();
}, TIMEOUT_MS);

interface Found {
  readonly run: {
    readonly info: { readonly status: string };
    readonly data: { readonly tags: readonly { readonly key: string; readonly value: string }[] };
  };
}

it.skipIf(!isInstalled)(
  "the client for Node programs logs to MLflow's own server",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-mlflow-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    server = await startMlflowServer(appRoot, folder);
    const { url } = server;
    const env = { ...process.env, MLFLOW_TRACKING_URI: url };
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
    const run_id = stdout.trim();
    const { run } = await getJson<Found>(url, 'runs/get', { run_id });
    expect(run.info.status).toBe('FINISHED');
    expect(run.data.tags).toContainEqual({ key: 'stage', value: 'last' });
    const query = { run_id, metric_key: 'loss', max_results: '10000' };
    const { metrics } = await getJson<{ readonly metrics: readonly { readonly step: number }[] }>(
      url,
      'metrics/get-history',
      query,
    );
    expect(metrics.map(({ step }) => step).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 2500 }, (_, step) => step),
    );
    const artifact = await fetch(`${url}/get-artifact?run_id=${run_id}&path=checkpoints/1.json`);
    expect(await artifact.json()).toEqual({ epoch: 1 });
  },
  TIMEOUT_MS,
);
