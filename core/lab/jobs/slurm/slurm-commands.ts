import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';

import { SluiceError } from '../../../contract';

export interface SlurmCommandOptions {
  /** Where the commands are; by default the server's own PATH. */
  readonly searchPath?: string;
  /** For SLURM_CONF; absent: where Slurm looks by itself. */
  readonly configFile?: string;
  readonly timeoutMs: number;
}

/** What Slurm's commands say when slurmctld can't be reached, or does not believe who calls (src/common/slurm_errno.c). */
const UNREACHABLE =
  /contact slurm controller|connect failure|connection (refused|reset|timed out)|timed out|zero bytes were transmitted|configuration source|authentication|munge|communication|in standby mode|unable to (connect|resolve)/i;

const MAX_OUTPUT_BYTES = 256 << 20;

/** Runs Slurm's commands, one a call. */
export class SlurmCommands {
  constructor(private readonly options: SlurmCommandOptions) {}

  /**
   * @returns its standard output.
   * @throws SluiceError `unavailable` when the command is not there, does not answer, or can't reach its cluster;
   * `otherwise` for what the cluster refuses, by default `unavailable` too.
   */
  run(
    command: string,
    args: readonly string[],
    otherwise: 'bad-input' | 'unavailable' = 'unavailable',
  ): Promise<string> {
    const { timeoutMs } = this.options;
    return new Promise((done, fail) => {
      const settings = {
        env: this.environment(),
        timeout: timeoutMs,
        maxBuffer: MAX_OUTPUT_BYTES,
        killSignal: 'SIGKILL',
      } as const;
      const child = execFile(command, args, settings, (error, stdout, stderr) => {
        if (!error) done(stdout);
        else fail(this.failure(command, error, stderr.trim() || stdout.trim(), otherwise));
      });
      child.stdin?.end();
    });
  }

  private failure(
    command: string,
    cause: ExecFileException,
    said: string,
    otherwise: 'bad-input' | 'unavailable',
  ): SluiceError {
    const details = { command };
    if (cause.code === 'ENOENT' || cause.code === 'EACCES') {
      const message =
        `Slurm's command ${command} was not found or may not be run (PATH ${this.searchPath}). ` +
        "Install Slurm's client commands (Debian: slurm-client) on the lab's server, or use another engine.";
      return new SluiceError('unavailable', message, details, { cause });
    }
    if (cause.killed) {
      const sec = this.options.timeoutMs / 1000;
      const message = `${command} did not answer within ${sec} s: is slurmctld overloaded, or its machine away? Try again.`;
      return new SluiceError('unavailable', message, details, { cause });
    }
    const what = said.replaceAll(`${command}: error: `, '').replaceAll('\n', '; ') || cause.message;
    if (UNREACHABLE.test(said)) {
      const message = `Slurm can't be reached: ${command} says "${what}". See whether slurmctld and munged run (scontrol ping).`;
      return new SluiceError('unavailable', message, details, { cause });
    }
    const message =
      otherwise === 'bad-input' ? `Slurm refuses the job: ${what}.` : `${command} failed: ${what}.`;
    return new SluiceError(otherwise, message, details, { cause });
  }

  private get searchPath(): string {
    return this.options.searchPath ?? process.env['PATH'] ?? '/usr/bin:/bin';
  }

  /**
   * Nothing of the server's own SLURM_* and SBATCH_* variables: they are options, too. A server that runs inside a
   * Slurm job would otherwise hand its allocation on.
   */
  private environment(): Record<string, string> {
    const { HOME, USER, LOGNAME, TZ, SLURM_CONF } = process.env;
    const configFile = this.options.configFile ?? SLURM_CONF;
    return {
      PATH: this.searchPath,
      LC_ALL: 'C.UTF-8',
      // Seconds since the Unix epoch, instead of local time.
      SLURM_TIME_FORMAT: '%s',
      ...(HOME !== undefined && { HOME }),
      ...(USER !== undefined && { USER }),
      ...(LOGNAME !== undefined && { LOGNAME }),
      ...(TZ !== undefined && { TZ }),
      ...(configFile !== undefined && { SLURM_CONF: configFile }),
    };
  }
}
