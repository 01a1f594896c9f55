import { SluiceError } from '../../contract';
import { TIERS } from '../scenario/schema';
import type { TierName } from '../scenario/schema';
import { ACCURACY_TOLERANCE_PCT, meanAccuracyPct } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Environment, Outcome } from './environment';

/** Something that answers requests: the device itself, or a server somewhere. Inputs are the implementation's own. */
export interface Endpoint {
  readonly tier: TierName;
  /**
   * Runs one inference for a user.
   * @returns how long it took, from asking to having the answer. @throws when it can't answer, or `signal` aborts.
   */
  infer(user: number, variantId: string, signal: AbortSignal): Promise<{ readonly responseMs: number }>;
}

export interface LiveTestbedOptions {
  readonly endpoints: readonly Endpoint[];
  /** Reads the levels of all nodes. */
  readonly observe: () => Promise<SystemState>;
  /** Longest response there can be: what a missed threshold costs, and when an endpoint counts as failed. */
  readonly deadlineMs: number;
  /** Aborts after the deadline. */
  readonly deadline: (deadlineMs: number) => AbortSignal;
  /** Milliseconds, to time failed attempts. */
  readonly clockMs: () => number;
  /** Told of each failure and each answer, so that decisions avoid a tier that failed. */
  readonly onFailure: (tier: TierName, cause: unknown) => void;
  readonly onAnswer: (tier: TierName) => void;
}

/**
 * Real endpoints behind the same interface as the simulation. A request whose endpoint fails is answered by the next
 * tier that offers the variant, the device last; its response time is the sum of both attempts.
 */
export class LiveTestbed implements Environment {
  constructor(
    readonly system: System,
    private readonly options: LiveTestbedOptions,
  ) {}

  observe(): Promise<SystemState> {
    return this.options.observe();
  }

  async step(action: Uint8Array, thresholdPct: number): Promise<Outcome> {
    const answers = await Promise.all(Array.from(action, (choice, user) => this.answer(user, choice)));
    const responseMs = Float64Array.from(answers);
    const meanResponseMs = responseMs.reduce((sum, ms) => sum + ms, 0) / responseMs.length;
    const accuracyPct = meanAccuracyPct(this.system, action);
    const meets = accuracyPct >= thresholdPct - ACCURACY_TOLERANCE_PCT;
    return {
      responseMs,
      meanResponseMs,
      meanAccuracyPct: accuracyPct,
      rewardMs: meets ? -meanResponseMs : -this.options.deadlineMs,
    };
  }

  /** @returns response time, ms. @throws SluiceError `runtime` when no endpoint answers. */
  private async answer(user: number, choice: number): Promise<number> {
    const variant = this.system.variants[this.system.choiceVariant[choice]!]!;
    const chosen = TIERS[this.system.choiceTier[choice]!]!;
    const { clockMs } = this.options;
    const startMs = clockMs();
    let lastCause: unknown;
    for (const endpoint of this.inOrder(chosen)) {
      const lostMs = clockMs() - startMs;
      const signal = this.options.deadline(this.options.deadlineMs);
      try {
        const { responseMs } = await endpoint.infer(user, variant.id, signal);
        this.options.onAnswer(endpoint.tier);
        return lostMs + responseMs;
      } catch (cause) {
        // Not lost: told, and answered elsewhere.
        this.options.onFailure(endpoint.tier, cause);
        lastCause = cause;
      }
    }
    throw new SluiceError(
      'runtime',
      `User ${user}: no endpoint answered ${variant.id}; tried ${this.options.endpoints.length}.`,
      { user, variant: variant.id },
      { cause: lastCause },
    );
  }

  private inOrder(chosen: TierName): readonly Endpoint[] {
    const rank = (tier: TierName): number => (tier === chosen ? -1 : TIERS.length - TIERS.indexOf(tier));
    return [...this.options.endpoints].sort((a, b) => rank(a.tier) - rank(b.tier));
  }
}
