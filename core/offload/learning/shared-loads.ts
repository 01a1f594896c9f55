import { LINK_CLASSES } from '../scenario/schema';
import type { System, SystemState } from '../scenario/system';
import type { ServiceCurves } from './service-curves';
import { SharedService } from './shared-service';

const LINKS = LINK_CLASSES.length;

/**
 * What shared tiers serve, as numbers of requests by link class and variant: nothing else of a user matters there.
 * Response times are those the curves predict.
 */
export class SharedLoads {
  /** Tiers that are shared. */
  readonly tiers: readonly number[];
  private readonly variants: number;
  /** [tiers, links, variants]: when such a request arrives, and how many there are. */
  private readonly arrivalMs: Float64Array;
  private readonly counts: Int32Array;
  /** [tiers, links]: how many come by such links. */
  private readonly linkCounts: Int32Array;
  /** [tiers]: by how much later each arrives for each that comes by links of the same class, ms. */
  private readonly crowdMs = new Float64Array(3);
  private readonly paces: Float64Array[] = [];
  private readonly service: SharedService;

  constructor(
    system: System,
    private readonly curves: readonly ServiceCurves[],
  ) {
    this.variants = system.variants.length;
    this.tiers = [0, 1, 2].filter((tier) => system.sharedTiers[tier]!);
    this.arrivalMs = new Float64Array(3 * LINKS * this.variants);
    this.counts = new Int32Array(this.arrivalMs.length);
    this.linkCounts = new Int32Array(3 * LINKS);
    this.service = new SharedService(LINKS * this.variants);
  }

  /** Empty tiers in a state; arrivals are still to be told. */
  begin(state: SystemState): void {
    this.counts.fill(0);
    this.linkCounts.fill(0);
    for (const tier of this.tiers) {
      const curves = this.curves[tier]!;
      this.crowdMs[tier] = curves.crowdMs(state);
      this.paces[tier] = curves.paces[curves.layout.cpuLevel(state, 0)]!;
    }
  }

  setArrival(tier: number, link: number, variant: number, ms: number): void {
    this.arrivalMs[(tier * LINKS + link) * this.variants + variant] = ms;
  }

  add(tier: number, link: number, variant: number, change: number): void {
    const byLink = tier * LINKS + link;
    this.linkCounts[byLink]! += change;
    this.counts[byLink * this.variants + variant]! += change;
  }

  /** Summed response times of a shared tier. */
  sumMs(tier: number): number {
    const { service, variants } = this;
    const works = this.curves[tier]!.works.values;
    let kinds = 0;
    for (let link = 0; link < LINKS; link += 1) {
      const byLink = tier * LINKS + link;
      const alike = this.linkCounts[byLink]!;
      if (alike === 0) continue;
      const lateMs = alike * this.crowdMs[tier]!;
      for (let variant = 0; variant < variants; variant += 1) {
        const at = byLink * variants + variant;
        const count = this.counts[at]!;
        if (count === 0) continue;
        service.arrivalMs[kinds] = this.arrivalMs[at]! + lateMs;
        service.work[kinds] = works[variant]!;
        service.count[kinds] = count;
        kinds += 1;
      }
    }
    service.kinds = kinds;
    return kinds === 0 ? 0 : service.run(this.paces[tier]!);
  }
}
