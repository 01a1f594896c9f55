import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { expect, type TestContext } from 'vitest';

import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../../serving';
import { startLabServer, type LabRoutes } from '../lab-server';

const run = promisify(execFile);
const INSTALLER = resolve(import.meta.dirname, '../../../../scripts/mlflow-client.mjs');
const TOKEN = 'a-token-of-twenty-characters';
/** The first time, the client is installed; importing it takes seconds each time. */
export const SET_UP_MS = 10 * 60_000;
export const DRIVE_MS = 3 * 60_000;

interface SetUp {
  readonly python?: string;
  readonly problem?: string;
}

/** A lab's server, and MLflow's own Python client to drive it. */
export class MlflowDriven {
  private constructor(
    private readonly server: Listener,
    private readonly setUp: SetUp,
  ) {}

  static async start(routes: readonly LabRoutes[]): Promise<MlflowDriven> {
    const { stdout } = await run(process.execPath, [INSTALLER]);
    // Uploads are larger than the limit of bodies.
    const limits = { ...DEFAULT_LIMITS, bodyBytes: 2 ** 20 };
    const token = new BearerToken(TOKEN);
    const server = await startLabServer({ routes, token, host: '127.0.0.1', port: 0, limits });
    return new MlflowDriven(server, JSON.parse(stdout) as SetUp);
  }

  /**
   * Runs a program of `test-support`. Where there is no client the test is skipped, in CI it fails.
   * @returns the JSON of its last line.
   */
  async drive(test: TestContext, program: string, ...args: readonly string[]): Promise<unknown> {
    const { python, problem = 'no reason was given' } = this.setUp;
    if (python === undefined) {
      const message = `mlflow-skinny could not be installed: ${problem}`;
      if (process.env['CI'] === 'true') expect.unreachable(message);
      return test.skip(message);
    }
    const { stdout } = await run(python, [resolve(import.meta.dirname, program), ...args], {
      env: {
        ...process.env,
        MLFLOW_TRACKING_URI: `http://127.0.0.1:${this.server.port}`,
        MLFLOW_TRACKING_TOKEN: TOKEN,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
        GIT_PYTHON_REFRESH: 'quiet',
        PYTHONUTF8: '1',
      },
    });
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as unknown;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
