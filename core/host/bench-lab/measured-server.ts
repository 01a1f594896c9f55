import { spawn, type ChildProcess } from 'node:child_process';

import { workerFile } from '../../base';
import { printedUrl } from '../bench/printed-url';
import { processFigures } from '../bench/process-figures';

/** A process that is measured; it is killed with this one. */
export class MeasuredProcess {
  private readonly onExit = (): void => this.kill();

  constructor(
    readonly child: ChildProcess,
    /** It leads a process group of its own, which ends as one. */
    private readonly isGroup = false,
  ) {
    process.once('exit', this.onExit);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** User and system time so far; NaN where nobody tells. */
  cpuMs(): number {
    return processFigures(this.pid)?.cpuMs ?? Number.NaN;
  }

  /** Resident now; NaN where nobody tells. */
  rssBytes(): number {
    return processFigures(this.pid)?.rssBytes ?? Number.NaN;
  }

  /** At once, with no chance to tidy up. */
  async end(): Promise<void> {
    const { child } = this;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const isGone = child.exitCode !== null || child.signalCode !== null;
    this.kill();
    if (!isGone) await gone;
    process.off('exit', this.onExit);
  }

  private kill(): void {
    try {
      if (this.isGroup && this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
      else this.child.kill('SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

export interface StartedServer {
  readonly url: string;
  readonly process: MeasuredProcess;
}

/** `sluice lab serve` on a folder, ready. @throws SluiceError `runtime` when it ends before. */
export async function startLabServer(folder: string): Promise<StartedServer> {
  const args = [workerFile('cli'), 'lab', 'serve', '--lab-dir', folder, '--port', '0', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const measured = new MeasuredProcess(child);
  return { url: await printedUrl('lab', child), process: measured };
}

/** A Node that does nothing. */
export function startIdleNode(): MeasuredProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  return new MeasuredProcess(child);
}
