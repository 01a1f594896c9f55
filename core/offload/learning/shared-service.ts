/** Told how a run went on; both calls come before the ended kind leaves `active`. */
export interface ServiceObserver {
  /** `running` inferences ran until each of the first `activeCount` of `active` had done so much more work. */
  phase(active: Int32Array, activeCount: number, running: number, work: number): void;
  /** All inferences of a kind ended: the last of `active`. */
  ended(active: Int32Array, activeCount: number, running: number): void;
}

/**
 * Inferences on one node whose pace depends on how many run at once, however many that slows and by how much. Those
 * alike, which arrive together with the same work, are one kind. Buffers are reused from run to run.
 */
export class SharedService {
  /** Kinds of the next run; the first so many values of the arrays are theirs. */
  kinds = 0;
  readonly arrivalMs: Float64Array;
  readonly work: Float64Array;
  readonly count: Int32Array;
  /** Filled by a run. */
  readonly finishMs: Float64Array;
  private readonly order: Int32Array;
  private readonly active: Int32Array;
  /** Work that one present from the start would have done when a kind ends. */
  private readonly endWork: Float64Array;

  constructor(mostKinds: number) {
    this.arrivalMs = new Float64Array(mostKinds);
    this.work = new Float64Array(mostKinds);
    this.count = new Int32Array(mostKinds);
    this.finishMs = new Float64Array(mostKinds);
    this.order = new Int32Array(mostKinds);
    this.active = new Int32Array(mostKinds);
    this.endWork = new Float64Array(mostKinds);
  }

  /**
   * @param paceMs by how many run: ms for a unit of work; not negative.
   * @returns the sum of all finish times.
   */
  run(paceMs: Float64Array, observer?: ServiceObserver): number {
    this.sortByArrival();
    const { kinds, order, active, endWork, arrivalMs, count } = this;
    let activeCount = 0;
    let running = 0;
    let arrived = 0;
    let nowMs = 0;
    let done = 0;
    let sumMs = 0;
    while (arrived < kinds || activeCount > 0) {
      const pace = paceMs[running]!;
      const nextArrivalMs = arrived < kinds ? arrivalMs[order[arrived]!]! : Infinity;
      if (activeCount > 0) {
        const first = active[activeCount - 1]!;
        const work = endWork[first]! - done;
        const firstEndMs = nowMs + work * pace;
        if (firstEndMs <= nextArrivalMs) {
          observer?.phase(active, activeCount, running, work);
          observer?.ended(active, activeCount, running);
          done = endWork[first]!;
          nowMs = firstEndMs;
          this.finishMs[first] = nowMs;
          sumMs += nowMs * count[first]!;
          activeCount -= 1;
          running -= count[first]!;
          continue;
        }
        // The pace is above zero here, else the first would have ended.
        const partly = (nextArrivalMs - nowMs) / pace;
        observer?.phase(active, activeCount, running, partly);
        done += partly;
      }
      nowMs = nextArrivalMs;
      const kind = order[arrived]!;
      arrived += 1;
      endWork[kind] = done + this.work[kind]!;
      running += count[kind]!;
      this.insert(kind, activeCount);
      activeCount += 1;
    }
    return sumMs;
  }

  private sortByArrival(): void {
    const { order, arrivalMs, kinds } = this;
    for (let kind = 0; kind < kinds; kind += 1) {
      const key = arrivalMs[kind]!;
      let at = kind;
      while (at > 0 && arrivalMs[order[at - 1]!]! > key) {
        order[at] = order[at - 1]!;
        at -= 1;
      }
      order[at] = kind;
    }
  }

  /** Keeps `active` sorted, the next to end last. */
  private insert(kind: number, activeCount: number): void {
    const { active, endWork } = this;
    const key = endWork[kind]!;
    let at = activeCount;
    while (at > 0 && endWork[active[at - 1]!]! < key) {
      active[at] = active[at - 1]!;
      at -= 1;
    }
    active[at] = kind;
  }
}
