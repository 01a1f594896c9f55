import { execFile } from 'node:child_process';

/** Less than this share of an accelerator, or of one processor, is idling. */
const IDLE_SHARE = 0.05;
/** `nvidia-smi` is a process: not more often than this. */
const GPU_EVERY_MS = 10_000;
const GPU_TIMEOUT_MS = 5_000;

/** @returns per GPU its use in percent, by index; undefined when it can't be told. */
export type ReadGpus = () => Promise<ReadonlyMap<number, number> | undefined>;

/** Asks `nvidia-smi`. */
export const readNvidia: ReadGpus = () =>
  new Promise((resolve) => {
    const query = ['--query-gpu=index,utilization.gpu', '--format=csv,noheader,nounits'];
    execFile('nvidia-smi', query, { timeout: GPU_TIMEOUT_MS }, (error, stdout) => {
      resolve(error ? undefined : parseUse(stdout));
    });
  });

function parseUse(csv: string): ReadonlyMap<number, number> {
  const rows = csv
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  return new Map(rows.flatMap(([index, pct]) => (Number.isFinite(pct) ? [[index!, pct!] as const] : [])));
}

/** Tells since when a job does not use what it was given. */
export class IdleWatch {
  private lastMs: number;
  private lastCpuMs = 0;
  private quietSinceMs: number | undefined;
  private gpuAskedMs = -Infinity;
  private isGpuBusy: boolean | undefined;

  /** @param gpuIds its own; without any (or where they can't be read) its processors are watched. */
  constructor(
    private readonly gpuIds: readonly number[],
    private readonly idleAfterMs: number,
    nowMs: number,
    private readonly readGpus: ReadGpus = readNvidia,
  ) {
    this.lastMs = nowMs;
  }

  /**
   * @param cpuMs of all its processes so far.
   * @returns since when it idles, once that is long enough.
   */
  look(nowMs: number, cpuMs: number): number | undefined {
    if (this.gpuIds.length > 0) this.askGpus(nowMs);
    const isCpuBusy = cpuMs - this.lastCpuMs > (nowMs - this.lastMs) * IDLE_SHARE;
    const isBusy = this.isGpuBusy ?? isCpuBusy;
    this.quietSinceMs = isBusy ? undefined : (this.quietSinceMs ?? this.lastMs);
    this.lastMs = nowMs;
    this.lastCpuMs = cpuMs;
    const since = this.quietSinceMs;
    return since !== undefined && nowMs - since >= this.idleAfterMs ? since : undefined;
  }

  private askGpus(nowMs: number): void {
    if (nowMs - this.gpuAskedMs < GPU_EVERY_MS) return;
    this.gpuAskedMs = nowMs;
    void this.readGpus().then((use) => {
      const own = this.gpuIds.flatMap((id) => use?.get(id) ?? []);
      this.isGpuBusy = own.length === 0 ? undefined : own.some((pct) => pct > IDLE_SHARE * 100);
    });
  }
}
