import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { workerFile } from '../../base';
import { appVersion, findAppRoot } from '../app-root';

const TOKEN = 'token-of-a-standing-host-that-nobody-guesses';

/** `sluice host` as a service: the same port and token however often it is killed and started again. */
export class StandingHost {
  readonly version = appVersion(findAppRoot(__dirname));

  private constructor(
    private readonly dataDir: string,
    readonly token: string,
    private child: ChildProcess,
    private readonly port: number,
  ) {}

  static async start(dataDir: string): Promise<StandingHost> {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'token'), TOKEN);
    const { child, port } = await launch(dataDir, 0);
    return new StandingHost(dataDir, TOKEN, child, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Gone at once, like by a power failure. */
  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  async startAgain(): Promise<void> {
    this.child = (await launch(this.dataDir, this.port)).child;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGCONT'); // one that was stopped would not hear the other
    this.child.kill('SIGINT');
    await exited;
  }
}

async function launch(
  dataDir: string,
  port: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const options = ['--port', String(port), '--token-file', join(dataDir, 'token'), '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), 'host', ...options], {
    env: { ...process.env, SLUICE_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: (JSON.parse(printed.toString('utf8')) as { port: number }).port };
}
