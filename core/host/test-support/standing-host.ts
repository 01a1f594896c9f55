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
    private readonly options: readonly string[],
    private launched: Launched,
  ) {}

  /** @param options of `sluice host` beside port, token and data folder. */
  static async start(dataDir: string, options: readonly string[] = []): Promise<StandingHost> {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'token'), TOKEN);
    return new StandingHost(dataDir, TOKEN, options, await launch(dataDir, 0, options));
  }

  get port(): number {
    return this.launched.port;
  }

  get url(): string {
    return `${this.fingerprint === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** As it printed it when it started last; absent without TLS. */
  get fingerprint(): string | undefined {
    return this.launched.certificateFingerprint;
  }

  signal(signal: NodeJS.Signals): void {
    this.launched.child.kill(signal);
  }

  /** Gone at once, like by a power failure. */
  async kill(): Promise<void> {
    const { child } = this.launched;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async startAgain(): Promise<void> {
    this.launched = await launch(this.dataDir, this.port, this.options);
  }

  async stop(): Promise<void> {
    const { child } = this.launched;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT'); // one that was stopped would not hear the other
    child.kill('SIGINT');
    await exited;
  }
}

interface Launched {
  readonly child: ChildProcess;
  readonly port: number;
  readonly certificateFingerprint?: string;
}

async function launch(dataDir: string, port: number, options: readonly string[]): Promise<Launched> {
  const own = ['--port', String(port), '--token-file', join(dataDir, 'token'), '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), 'host', ...own, ...options], {
    env: { ...process.env, SLUICE_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ...(JSON.parse(printed.toString('utf8')) as Omit<Launched, 'child'>) };
}
