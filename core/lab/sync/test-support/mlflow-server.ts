import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where `node scripts/mlflow-server.mjs` puts MLflow's server; a gigabyte, so that tests do not ask for it. */
const VENV = resolve(import.meta.dirname, '../../../../.cache/mlflow-server');
const POLL_MS = 250;

export const isMlflowServerInstalled = existsSync(join(VENV, 'installed'));
export const MLFLOW_START_MS = 180_000;

/** MLflow's own server in a folder of its own. */
export class MlflowServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** @param store its own for SQLite, or that of plain files. */
  static async start(store: 'sqlite' | 'files'): Promise<MlflowServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-mlflow-'));
    const port = await freePort();
    const uri = store === 'sqlite' ? `sqlite:///${join(folder, 'mlflow.db')}` : join(folder, 'mlruns');
    const place = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
    const stores = ['--backend-store-uri', uri, '--artifacts-destination', join(folder, 'artifacts')];
    const args = ['-m', 'mlflow', 'server', ...place, ...stores];
    const child = spawn(join(VENV, 'bin', 'python'), args, {
      ...{ cwd: folder, stdio: 'ignore', detached: true },
      env: {
        ...process.env,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        MLFLOW_ALLOW_FILE_STORE: 'true',
        GIT_PYTHON_REFRESH: 'quiet',
      },
    });
    const server = new MlflowServer(child, folder, port);
    await server.untilHealthy();
    return server;
  }

  async get(path: string, query: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.url}/api/2.0/mlflow/${path}?${new URLSearchParams(query).toString()}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  async post(path: string, body: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.url}/api/2.0/mlflow/${path}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    const { pid, exitCode } = this.child;
    if (pid !== undefined && exitCode === null) {
      const ended = once(this.child, 'exit');
      // Its workers are in the same group.
      process.kill(-pid, 'SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async untilHealthy(): Promise<void> {
    while (this.child.exitCode === null) {
      const answer = await fetch(`${this.url}/health`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
    throw new Error(`"mlflow server" ended with ${this.child.exitCode}.`);
  }
}

/** MLflow does not tell which port it got when it is given 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
