import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { RateLimiterRes } from 'rate-limiter-flexible';

import { rateKey } from './addresses';

/** So many in a time. */
export interface Rate {
  readonly count: number;
  readonly perSec: number;
}

export interface HostRates {
  /** Wrong tokens of one address. */
  readonly wrongTokens: Rate;
  /** Requests of one address without a session. */
  readonly strangers: Rate;
  /** Uploads of one session. */
  readonly uploads: Rate;
}

export const DEFAULT_RATES: HostRates = {
  wrongTokens: { count: 10, perSec: 300 },
  strangers: { count: 300, perSec: 60 },
  uploads: { count: 240, perSec: 60 },
};

/** Seconds to wait; undefined: go on. */
export type Wait = number | undefined;

/** Counts, in memory, what may be done only so often. Everybody's clock is the system's here. */
export class RateLimits {
  private readonly wrongTokens: RateLimiterMemory;
  private readonly strangers: RateLimiterMemory;
  private readonly uploads: RateLimiterMemory;

  constructor(rates: HostRates) {
    this.wrongTokens = limiterOf(rates.wrongTokens);
    this.strangers = limiterOf(rates.strangers);
    this.uploads = limiterOf(rates.uploads);
  }

  wrongToken(address: string): Promise<Wait> {
    return consume(this.wrongTokens, rateKey(address));
  }

  /** Whether an address gave too many wrong tokens to be believed a right one. */
  async isBarred(address: string): Promise<Wait> {
    const state = await this.wrongTokens.get(rateKey(address));
    return state !== null && state.consumedPoints > this.wrongTokens.points ? waitOf(state) : undefined;
  }

  stranger(address: string): Promise<Wait> {
    return consume(this.strangers, rateKey(address));
  }

  upload(session: string): Promise<Wait> {
    return consume(this.uploads, session);
  }
}

function limiterOf({ count, perSec }: Rate): RateLimiterMemory {
  return new RateLimiterMemory({ points: count, duration: perSec });
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<Wait> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (refused) {
    if (refused instanceof Error) throw refused;
    return waitOf(refused as RateLimiterRes);
  }
}

function waitOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
