import { LatencyWindow } from './latency-window';
import type { Latency } from './latency-window';

/** How often something happened and how long it took together, as the protocol's statistics extension counts. */
export interface StatisticDuration {
  readonly count: number;
  readonly ns: number;
}

/** Of one model since the server started; names as in the statistics extension. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since the epoch; 0 before the first inference. */
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: {
    readonly success: StatisticDuration;
    readonly fail: StatisticDuration;
    /** Waiting for the engine. */
    readonly queue: StatisticDuration;
    readonly compute_infer: StatisticDuration;
  };
  /** Beside the extension: of the last requests that were answered; absent before the first. */
  readonly latency?: { readonly median_ms: number; readonly p95_ms: number };
}

/** A version of a model. */
export interface VersionName {
  readonly name: string;
  readonly version: string;
}

/** What one answered request took. */
export interface RequestTimes {
  readonly queueMs: number;
  readonly computeMs: number;
  readonly totalMs: number;
}

class Sum {
  private count = 0;
  private totalMs = 0;

  /** @param ms below 0 when the clock jumped back: then it tells nothing. */
  add(ms: number): void {
    this.count += 1;
    this.totalMs += Math.max(0, ms);
  }

  get duration(): StatisticDuration {
    return { count: this.count, ns: Math.round(this.totalMs * 1e6) };
  }
}

class Counters {
  readonly success = new Sum();
  readonly fail = new Sum();
  readonly queue = new Sum();
  readonly compute = new Sum();
  readonly latencies = new LatencyWindow();
  lastMs = 0;
}

/** Counts inferences by version of a model. */
export class InferenceStatistics {
  private readonly versions = new Map<string, Counters>();

  succeeded(model: VersionName, { queueMs, computeMs, totalMs }: RequestTimes, nowMs: number): void {
    const counters = this.of(model);
    counters.success.add(totalMs);
    counters.queue.add(queueMs);
    counters.compute.add(computeMs);
    counters.latencies.add(Math.max(0, totalMs));
    counters.lastMs = nowMs;
  }

  failed(model: VersionName, totalMs: number): void {
    this.of(model).fail.add(totalMs);
  }

  /** A version that is gone: one of its number that comes begins anew. */
  forget(model: VersionName): void {
    this.versions.delete(keyOf(model));
  }

  latency(model: VersionName): Latency | undefined {
    return this.of(model).latencies.latency;
  }

  snapshot({ name, version }: VersionName): ModelStatistics {
    const { success, fail, queue, compute, lastMs, latencies } = this.of({ name, version });
    const { latency } = latencies;
    return {
      name,
      version,
      last_inference: Math.round(lastMs),
      inference_count: success.duration.count,
      execution_count: success.duration.count,
      inference_stats: {
        success: success.duration,
        fail: fail.duration,
        queue: queue.duration,
        compute_infer: compute.duration,
      },
      ...(latency && { latency: { median_ms: latency.medianMs, p95_ms: latency.p95Ms } }),
    };
  }

  private of(model: VersionName): Counters {
    const key = keyOf(model);
    const known = this.versions.get(key);
    if (known) return known;
    const counters = new Counters();
    this.versions.set(key, counters);
    return counters;
  }
}

function keyOf({ name, version }: VersionName): string {
  return JSON.stringify([name, version]);
}
