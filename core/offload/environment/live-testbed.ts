import type { Clock } from '../../base';
import { TIERS } from '../scenario/schema';
import type { TierName } from '../scenario/schema';
import { ACCURACY_TOLERANCE_PCT, meanAccuracyPct } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { askInOrder } from './ask-in-order';
import type { Environment, Outcome } from './environment';
import type { Answer, FailedAttempt, LiveEndpoint } from './live-endpoint';
import { ResponseHistory } from './response-history';

export interface LiveTestbedOptions {
  /** Those that may be asked now, by preference within a tier. */
  readonly endpoints: () => readonly LiveEndpoint[];
  /** Those left alone after a failure: asked when none of the others answered. */
  readonly lastResorts: () => readonly LiveEndpoint[];
  /** Reads the levels of all nodes. */
  readonly observe: () => SystemState;
  /** Longest response there can be: what a missed threshold and a request nobody answered cost. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Told of each failure at once and of each answer in time, so that the next decision avoids who failed. */
  readonly onFailure: (endpoint: LiveEndpoint, failure: FailedAttempt) => void;
  readonly onAnswer: (endpointId: string) => void;
}

/** Also tells what became of each user's request. */
export interface LiveOutcome extends Outcome {
  /** [users] */
  readonly answers: readonly Answer[];
}

/**
 * Real endpoints behind the same interface as the simulation. A request whose endpoint fails, or takes far longer than
 * it used to, is answered by another one that offers the variant; its response time counts from the first attempt.
 */
export class LiveTestbed implements Environment {
  readonly responses = new ResponseHistory();

  constructor(
    readonly system: System,
    private readonly options: LiveTestbedOptions,
  ) {}

  observe(): SystemState {
    return this.options.observe();
  }

  /** Never rejects: a request nobody answered counts as the deadline, and the round's reward as the worst there is. */
  async step(action: Uint8Array, thresholdPct: number): Promise<LiveOutcome> {
    const answers = await Promise.all(Array.from(action, (choice, user) => this.answer(user, choice)));
    const responseMs = Float64Array.from(answers, (answer) => answer.responseMs);
    const meanResponseMs = responseMs.reduce((sum, ms) => sum + ms, 0) / responseMs.length;
    const accuracyPct = meanAccuracyPct(this.system, action);
    const meets = accuracyPct >= thresholdPct - ACCURACY_TOLERANCE_PCT;
    const isAnswered = answers.every(({ by }) => by !== undefined);
    return {
      responseMs,
      meanResponseMs,
      meanAccuracyPct: accuracyPct,
      rewardMs: meets && isAnswered ? -meanResponseMs : -this.options.deadlineMs,
      answers,
    };
  }

  private async answer(user: number, choice: number): Promise<Answer> {
    const { id: variantId } = this.system.variants[this.system.choiceVariant[choice]!]!;
    const chosen = TIERS[this.system.choiceTier[choice]!]!;
    const { clock, deadlineMs, onFailure, onAnswer } = this.options;
    const answer = await askInOrder(this.inOrder(chosen, variantId), {
      user,
      variantId,
      deadlineMs,
      // Until its usual time is known, half of the time there is.
      patienceMs: ({ tier }) =>
        Math.min(this.responses.slowAfterMs(tier, variantId) ?? Infinity, deadlineMs / 2),
      clock,
      onFailure,
    });
    const { by, failures } = answer;
    if (by) {
      this.responses.record(by.tier, variantId, answer.responseMs - by.startMs);
      const wasSlow = failures.some(({ endpointId }) => endpointId === by.endpointId);
      if (!wasSlow) onAnswer(by.endpointId);
    }
    return answer;
  }

  /** The chosen tier first, then the device, which no network can cut off, then the tier that used to be fastest. */
  private inOrder(chosen: TierName, variantId: string): readonly LiveEndpoint[] {
    const rank = ({ tier }: LiveEndpoint): number => {
      if (tier === chosen) return -2;
      if (tier === 'device') return -1;
      return this.responses.last(tier, variantId)?.responseMs ?? Number.MAX_VALUE;
    };
    const { endpoints, lastResorts } = this.options;
    return [endpoints(), lastResorts()].flatMap((group) =>
      group.filter((endpoint) => endpoint.offers(variantId)).sort((a, b) => rank(a) - rank(b)),
    );
  }
}
