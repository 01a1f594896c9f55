import type { ServiceLayout } from './service-layout';
import { SharedService } from './shared-service';
import type { ServiceObserver } from './shared-service';
import type { Works } from './works';

/** Keeps the weight of the crowd's feature near those of others. */
export const CROWD_UNIT = 10;

/** Requests of one round that a tier can't tell apart, and what they came to. */
export interface RequestKind {
  readonly cpuLevel: number;
  readonly memoryLevel: number;
  readonly link: number;
  readonly variant: number;
  readonly count: number;
  /** Mean over the requests. */
  readonly responseMs: number;
}

/** What one round measured on a tier. */
export interface ServedRound {
  readonly kinds: readonly RequestKind[];
  readonly sharedWay: number;
  readonly measurements: number;
}

/** What is learned of a tier, as far as rows depend on it. */
export interface ServiceState {
  readonly weights: Float64Array;
  readonly works: Works;
  /** [levels][running]. */
  readonly paces: readonly Float64Array[];
}

/**
 * Response times of a round as rows of a linear model: each row times the weights is the predicted time, and behind the
 * weights stand its derivatives by the logarithms of the works. Which phases an inference passes through, and so its
 * row, follows from what is held of arrivals and paces now.
 */
export class ServiceRows implements ServiceObserver {
  /** [kinds of the last round]: [weights, works]. */
  readonly rows: readonly Float64Array[];
  private readonly service: SharedService;
  private round: ServedRound = { kinds: [], sharedWay: 0, measurements: 0 };
  private paces: Float64Array = new Float64Array(0);
  private curveAt = 0;

  constructor(
    private readonly layout: ServiceLayout,
    private readonly state: ServiceState,
    private readonly megabytes: Float64Array,
    mostKinds: number,
  ) {
    const unknowns = layout.size + state.works.unknowns;
    this.rows = Array.from({ length: mostKinds }, () => new Float64Array(unknowns));
    this.service = new SharedService(mostKinds);
  }

  fill(round: ServedRound): void {
    this.round = round;
    const { layout, service } = this;
    round.kinds.forEach((kind, index) => {
      const row = this.rows[index]!;
      this.fillArrival(kind, row);
      if (!layout.shared) {
        this.select(kind.cpuLevel);
        this.addPhase(row, 1, this.state.works.of(kind.variant));
        this.addWorkSlope(row, kind.variant, this.paces[1]!);
        return;
      }
      service.arrivalMs[index] = dot(row, this.state.weights);
      service.work[index] = this.state.works.of(kind.variant);
      service.count[index] = kind.count;
    });
    if (!layout.shared || round.kinds.length === 0) return;
    service.kinds = round.kinds.length;
    this.select(round.kinds[0]!.cpuLevel);
    service.run(this.paces, this);
  }

  phase(active: Int32Array, activeCount: number, running: number, work: number): void {
    for (let at = 0; at < activeCount; at += 1) this.addPhase(this.rows[active[at]!]!, running, work);
  }

  ended(active: Int32Array, activeCount: number, running: number): void {
    const kind = active[activeCount - 1]!;
    const { variant, count } = this.round.kinds[kind]!;
    const paceMs = this.paces[running]!;
    this.addWorkSlope(this.rows[kind]!, variant, paceMs);
    // More work of the ones that end prolongs this phase for the others and shortens their next.
    const others = paceMs - this.paces[running - count]!;
    for (let at = 0; at < activeCount - 1; at += 1)
      this.addWorkSlope(this.rows[active[at]!]!, variant, others);
  }

  private select(cpuLevel: number): void {
    this.paces = this.state.paces[cpuLevel]!;
    this.curveAt = this.layout.curveOf(cpuLevel);
  }

  private fillArrival({ memoryLevel, link, variant }: RequestKind, row: Float64Array): void {
    const { layout, round } = this;
    row.fill(0);
    row[link] = 1;
    if (memoryLevel > 0) row[layout.streamAt + memoryLevel - 1] = this.megabytes[variant]!;
    if (!layout.shared) return;
    let alike = 0;
    for (const kind of round.kinds) if (kind.link === link) alike += kind.count;
    row[layout.crowdAt + round.sharedWay] = alike / CROWD_UNIT;
  }

  private addPhase(row: Float64Array, running: number, work: number): void {
    const { lower, upper, share } = this.layout.place(running);
    row[this.curveAt + lower]! += work * (1 - share);
    row[this.curveAt + upper]! += work * share;
  }

  private addWorkSlope(row: Float64Array, variant: number, paceMs: number): void {
    this.state.works.addSlope(row, this.layout.size, variant, paceMs);
  }
}

/** Of the first weights of a row; the works' derivatives are no part of a time. */
export function dot(row: Float64Array, weights: Float64Array, from = 0): number {
  let sum = 0;
  for (let at = from; at < weights.length; at += 1) sum += row[at]! * weights[at]!;
  return sum;
}
