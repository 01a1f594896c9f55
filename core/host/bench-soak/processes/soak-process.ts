import { spawn, type ChildProcess } from 'node:child_process';

import { workerFile } from '../../../base';
import { SluiceError } from '../../../contract';
import { printedUrl } from '../../bench/printed-url';

/** Of what a process wrote to stderr. */
const KEPT_CHARS = 4000;

export interface SoakProcessOptions {
  readonly name: 'engine' | 'endpoint' | 'lab';
  /** Of `sluice`; it prints its address as JSON. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A process that ended without being told to. */
  readonly onDeath: (name: string, how: string) => void;
}

/** A long-lived `sluice` process: what a person would start, killed and started again. */
export class SoakProcess {
  starts = 0;
  private child: ChildProcess | undefined;
  private isMeant = true;
  private readonly onExit = (): void => void this.child?.kill('SIGKILL');

  constructor(private readonly options: SoakProcessOptions) {
    process.on('exit', this.onExit);
  }

  get name(): SoakProcessOptions['name'] {
    return this.options.name;
  }

  /** Of the process that runs; undefined while none does. */
  get pid(): number | undefined {
    const { child } = this;
    return child && child.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  /** @returns its address. @throws SluiceError `runtime` when it ends before it is ready. */
  async start(): Promise<string> {
    const { name, args, env } = this.options;
    const child = spawn(process.execPath, [workerFile('cli'), ...args, '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-KEPT_CHARS)));
    this.child = child;
    this.isMeant = false;
    this.starts += 1;
    const url = await printedUrl(name, child).catch((thrown: unknown) => {
      this.isMeant = true;
      const { message } = SluiceError.from(thrown);
      throw new SluiceError('runtime', `${message} ${said}`.trim());
    });
    child.once('exit', (code, signal) => {
      if (!this.isMeant) this.options.onDeath(name, `${signal ?? `exit code ${code}`}: ${said.trim()}`);
    });
    return url;
  }

  /** Gone at once, like by the kernel's out-of-memory killer. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** As a service manager ends it. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
    process.off('exit', this.onExit);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.isMeant = true;
    if (!child || this.pid === undefined) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }
}
