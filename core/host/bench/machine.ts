import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type, version } from 'node:os';

/** The machine a benchmark ran on, and what of the source. */
export interface BenchMachine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
  readonly commit: string;
  /** Load average over a minute before the bench began: other work on the machine disturbs it. */
  readonly loadAverageBefore: number;
}

export function benchMachine(): BenchMachine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${version()}`,
    node: process.version,
    commit: commit(),
    loadAverageBefore: loadavg()[0] ?? 0,
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // An installed package has no repository.
    return 'unknown';
  }
}
