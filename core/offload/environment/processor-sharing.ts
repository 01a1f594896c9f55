/**
 * Egalitarian processor sharing: `cores` servers, every job on at most one of them; with `background` permanent jobs
 * beside n of ours each runs at min(1, cores / (n + background)). Buffers are reused from call to call.
 */
export class SharedProcessor {
  private readonly order: Int32Array;
  private readonly active: Int32Array;
  /** Service a job has when it ends, counted since the start of the run in service of a job always present. */
  private readonly endService: Float64Array;

  constructor(private readonly capacity: number) {
    this.order = new Int32Array(capacity);
    this.active = new Int32Array(capacity);
    this.endService = new Float64Array(capacity);
  }

  /**
   * @param workMs of each job alone on a core. @param finishMs filled with when each ends.
   * All three arrays hold at least `count` values; `finishMs` may be `arrivalMs`.
   */
  run(
    count: number,
    arrivalMs: Float64Array,
    workMs: Float64Array,
    cores: number,
    background: number,
    finishMs: Float64Array,
  ): void {
    this.sortByArrival(count, arrivalMs);
    const { order, active, endService } = this;
    let running = 0;
    let arrived = 0;
    let nowMs = 0;
    let service = 0;
    while (arrived < count || running > 0) {
      const rate = Math.min(1, cores / (running + background));
      const nextArrivalMs = arrived < count ? arrivalMs[order[arrived]!]! : Infinity;
      const first = running > 0 ? active[running - 1]! : -1;
      const firstEndMs = first < 0 ? Infinity : nowMs + (endService[first]! - service) / rate;
      if (firstEndMs <= nextArrivalMs) {
        service = endService[first]!;
        nowMs = firstEndMs;
        finishMs[first] = nowMs;
        running -= 1;
        continue;
      }
      if (running > 0) service += (nextArrivalMs - nowMs) * rate;
      nowMs = nextArrivalMs;
      const job = order[arrived]!;
      arrived += 1;
      endService[job] = service + workMs[job]!;
      running = this.insert(job, running);
    }
  }

  private sortByArrival(count: number, arrivalMs: Float64Array): void {
    if (count > this.capacity) throw new RangeError(`${count} jobs exceed the capacity of ${this.capacity}.`);
    const { order } = this;
    for (let job = 0; job < count; job += 1) {
      let at = job;
      const key = arrivalMs[job]!;
      while (at > 0 && arrivalMs[order[at - 1]!]! > key) {
        order[at] = order[at - 1]!;
        at -= 1;
      }
      order[at] = job;
    }
  }

  /** Keeps `active` sorted, the next to end last. */
  private insert(job: number, running: number): number {
    const { active, endService } = this;
    const key = endService[job]!;
    let at = running;
    while (at > 0 && endService[active[at - 1]!]! < key) {
      active[at] = active[at - 1]!;
      at -= 1;
    }
    active[at] = job;
    return running + 1;
  }
}
