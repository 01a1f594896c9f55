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
  lastMs = 0;
}

/** Counts inferences by model. */
export class InferenceStatistics {
  private readonly models = new Map<string, Counters>();

  succeeded(model: string, { queueMs, computeMs, totalMs }: RequestTimes, nowMs: number): void {
    const counters = this.of(model);
    counters.success.add(totalMs);
    counters.queue.add(queueMs);
    counters.compute.add(computeMs);
    counters.lastMs = nowMs;
  }

  failed(model: string, totalMs: number): void {
    this.of(model).fail.add(totalMs);
  }

  snapshot(name: string, version: string): ModelStatistics {
    const { success, fail, queue, compute, lastMs } = this.of(name);
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
    };
  }

  private of(model: string): Counters {
    const known = this.models.get(model);
    if (known) return known;
    const counters = new Counters();
    this.models.set(model, counters);
    return counters;
  }
}
