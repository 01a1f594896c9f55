import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

import type { JobResources } from '../job-engine';
import { subtract } from '../resources';

/** What one job was given. */
export interface TakenSlots {
  readonly resources: JobResources;
  readonly cpuIds: readonly number[] | undefined;
  readonly gpuIds: readonly number[];
}

/** The processors, GPUs and memory of this machine, as far as jobs may have them. */
export class Slots {
  private readonly takenByKey = new Map<string, TakenSlots>();

  /**
   * @param total `gpus` are numbered from 0.
   * @param cpuIds those that this process may run on; with fewer than `total.cpus` jobs are bound to none.
   */
  constructor(
    readonly total: JobResources,
    private readonly cpuIds: readonly number[],
  ) {}

  get free(): JobResources {
    return [...this.takenByKey.values()].reduce(
      (free, { resources }) => subtract(free, resources),
      this.total,
    );
  }

  /** Takes slots for a job that fits. */
  take(key: string, resources: JobResources): TakenSlots {
    const taken = {
      resources,
      cpuIds:
        this.cpuIds.length < this.total.cpus ? undefined : this.leastUsedCpus(Math.ceil(resources.cpus)),
      gpuIds: this.freeGpus().slice(0, resources.gpus),
    };
    this.takenByKey.set(key, taken);
    return taken;
  }

  /** What a job was given before a restart. */
  retake(key: string, taken: TakenSlots): void {
    this.takenByKey.set(key, taken);
  }

  giveBack(key: string): void {
    this.takenByKey.delete(key);
  }

  private freeGpus(): readonly number[] {
    const taken = new Set([...this.takenByKey.values()].flatMap(({ gpuIds }) => gpuIds));
    return Array.from({ length: this.total.gpus }, (_, id) => id).filter((id) => !taken.has(id));
  }

  /** Jobs that ask for parts of a processor share some. */
  private leastUsedCpus(count: number): readonly number[] {
    const use = new Map(this.cpuIds.map((id) => [id, 0]));
    for (const { resources, cpuIds = [] } of this.takenByKey.values()) {
      for (const id of cpuIds) use.set(id, (use.get(id) ?? 0) + resources.cpus / cpuIds.length);
    }
    const byUse = [...this.cpuIds].sort((a, b) => use.get(a)! - use.get(b)!);
    return byUse.slice(0, count).sort((a, b) => a - b);
  }
}

/** @param given the rest is what this machine has: processors that this process may use, memory, GPUs by `nvidia-smi`. */
export function totalsOf(given: Partial<JobResources> = {}): JobResources {
  return {
    cpus: given.cpus ?? availableParallelism(),
    gpus: given.gpus ?? countGpus(),
    memoryBytes: given.memoryBytes ?? totalmem(),
  };
}

function countGpus(): number {
  try {
    const list = execFileSync('nvidia-smi', ['-L'], { timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] });
    return list
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('GPU ')).length;
  } catch {
    return 0; // not there, or without a driver: the same as no GPU
  }
}

/** The processors this process may run on. */
export function allowedCpuIds(): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
