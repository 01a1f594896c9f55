/** A layer, in execution order. */
export interface BoundLayer {
  /** Undisturbed, with its weights in memory. */
  readonly computeMs: number;
  /** What has to be in memory while it computes. */
  readonly byteLength: number;
}

/** What a machine allows. */
export interface BoundMachine {
  readonly memoryBytes: number;
  readonly readBytesPerSec: number;
  /** CPU time lost to a gigabyte of reads, milliseconds. */
  readonly cpuMsPerGB: number;
  readonly threads: number;
}

/**
 * Least latency of back-to-back inferences that any order of reads could have, layers computing one after the other:
 * - all computing, and the CPU time that the reads take from it;
 * - for every layer: computing up to it, then reading what comes after and did not fit the memory by then.
 */
export function latencyBoundMs(layers: readonly BoundLayer[], machine: BoundMachine): number {
  const { memoryBytes, readBytesPerSec, cpuMsPerGB, threads } = machine;
  const readMs = (bytes: number): number => (Math.max(0, bytes - memoryBytes) / readBytesPerSec) * 1000;
  let afterBytes = layers.reduce((sum, layer) => sum + layer.byteLength, 0);
  const lostMs = ((Math.max(0, afterBytes - memoryBytes) / 1e9) * cpuMsPerGB) / threads;
  let computedMs = 0;
  let boundMs = readMs(afterBytes);
  for (const layer of layers) {
    computedMs += layer.computeMs;
    afterBytes -= layer.byteLength;
    boundMs = Math.max(boundMs, computedMs + readMs(afterBytes));
  }
  return Math.max(boundMs, computedMs + lostMs);
}
