import type { EndpointHealth, NodeState, TierName } from '../../contract';
import { TIER_NAMES } from '../../contract';
import { stateOfNodes } from '../../offload';
import type { SystemState } from '../../offload';

/** What a node tells of itself; absent figures leave its levels as they are. */
export type NodeFigures = Pick<EndpointHealth, 'busyPct' | 'availableBytes'> & {
  readonly link: 'regular' | 'weak';
};

/** Others take this much of a node's processors: busy above the one, free again below the other. */
const BUSY_ABOVE_PCT = 60;
const FREE_BELOW_PCT = 40;
const SHORT_BELOW_BYTES = 256 * 2 ** 20;
const AMPLE_ABOVE_BYTES = 384 * 2 ** 20;

interface Levels {
  isBusy: boolean;
  isShort: boolean;
  link: 'regular' | 'weak';
}

/** The papers' state of a real deployment: CPU, memory and link of each node as levels that don't flicker. */
export class NodeLevels {
  private readonly levels: Record<TierName, Levels> = {
    device: { isBusy: false, isShort: false, link: 'regular' },
    edge: { isBusy: false, isShort: false, link: 'regular' },
    cloud: { isBusy: false, isShort: false, link: 'regular' },
  };

  /** @param figures undefined: nothing is known of the node, it keeps its levels. */
  observe(tier: TierName, figures: NodeFigures | undefined): void {
    if (!figures) return;
    const levels = this.levels[tier];
    const { busyPct, availableBytes, link } = figures;
    if (busyPct !== undefined) {
      if (busyPct > BUSY_ABOVE_PCT) levels.isBusy = true;
      else if (busyPct < FREE_BELOW_PCT) levels.isBusy = false;
    }
    if (availableBytes !== undefined) {
      if (availableBytes < SHORT_BELOW_BYTES) levels.isShort = true;
      else if (availableBytes > AMPLE_ABOVE_BYTES) levels.isShort = false;
    }
    levels.link = link;
  }

  /** All users stand on the one device; its link is that to the edge. The cloud is reached directly. */
  state(users: number): SystemState {
    return stateOfNodes(
      users,
      TIER_NAMES.map((tier) => this.node(tier)),
    );
  }

  nodes(barred: (tier: TierName) => string | undefined): readonly NodeState[] {
    return TIER_NAMES.map((tier) => {
      const why = barred(tier);
      return { ...this.named(tier), ...(why !== undefined && { barred: why }) };
    });
  }

  private node(tier: TierName): { cpu: number; memory: number; link: number } {
    const { isBusy, isShort } = this.levels[tier];
    return { cpu: Number(isBusy), memory: Number(isShort), link: Number(this.linkOf(tier) === 'weak') };
  }

  private named(tier: TierName): NodeState {
    const { isBusy, isShort } = this.levels[tier];
    return {
      tier,
      cpu: isBusy ? 'busy' : 'free',
      memory: isShort ? 'short' : 'ample',
      link: this.linkOf(tier),
    };
  }

  /** In the papers' state the device's link leads to the edge, and that of edge and cloud to the cloud. */
  private linkOf(tier: TierName): 'regular' | 'weak' {
    return tier === 'device' ? this.levels.edge.link : this.levels.cloud.link;
  }
}

/** Levels as a state has them, by name: what a logged decision was based on. */
export function namedNodes(state: SystemState, users: number): readonly NodeState[] {
  return TIER_NAMES.map((tier, index) => {
    const node = index === 0 ? 0 : users + index - 1;
    const [cpu, memory, link] = state.subarray(3 * node, 3 * node + 3);
    return {
      tier,
      cpu: cpu === 0 ? 'free' : 'busy',
      memory: memory === 0 ? 'ample' : 'short',
      link: link === 0 ? 'regular' : 'weak',
    };
  });
}
