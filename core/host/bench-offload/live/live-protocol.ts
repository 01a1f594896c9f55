import type { NewEndpoint, TierName } from '../../../contract';
import type { RegisteredVariant } from '../../offload/deployment-store';

/** How a strategy of the device decides. */
export interface StrategySettings {
  readonly id: string;
  readonly agent: string;
  readonly users: number;
  readonly thresholdPct: number;
  readonly explorationCap: number;
  readonly seed: number;
  /** The strategy whose learned state it starts with. */
  readonly learnedBy?: string;
}

/** What the bench tells the process that plays the device. */
export type DeviceCommand =
  /** Starts the engine; builds and imports the variants of the example unless others are named. */
  | {
      readonly kind: 'prepare';
      readonly dataDir: string;
      readonly scratchDir: string;
      readonly variants?: readonly RegisteredVariant[];
    }
  | { readonly kind: 'connect'; readonly endpoints: readonly NewEndpoint[] }
  /** Times inferences, one at a time, of every variant on every tier. */
  | { readonly kind: 'time-alone'; readonly repeats: number; readonly tiers: readonly TierName[] }
  | { readonly kind: 'open'; readonly strategy: StrategySettings }
  /** Carries out a round after each of the pauses. */
  | { readonly kind: 'rounds'; readonly strategy: string; readonly pausesMs: readonly number[] }
  | { readonly kind: 'end' };

/** Told while rounds are carried out: requests go out now. */
export interface RoundBegun {
  readonly event: 'begun';
  /** [users] */
  readonly chosen: readonly TierName[];
}

export interface PreparedDevice {
  readonly variants: readonly RegisteredVariant[];
}

export interface AloneTime {
  readonly tier: TierName;
  readonly variant: string;
  readonly medianMs: number;
}

/** What became of one user's request. */
export interface RequestRecord {
  readonly chosen: TierName;
  readonly variant: string;
  /** Absent when nobody answered. */
  readonly answeredBy?: TierName;
  readonly responseMs: number;
  readonly failures: readonly { readonly tier: TierName; readonly reason: string; readonly lostMs: number }[];
}

export interface RoundRecord {
  /** [users] */
  readonly requests: readonly RequestRecord[];
  readonly meanResponseMs: number;
  readonly meanAccuracyPct: number;
  readonly rewardMs: number;
  /** Absent where the agent had no idea. */
  readonly predictedMs?: number;
  readonly explored: boolean;
  /** Nothing that could be chosen met the threshold. */
  readonly outOfReach: boolean;
  /** Tiers whose processors were said to be used by others. */
  readonly busyTiers: readonly TierName[];
}
