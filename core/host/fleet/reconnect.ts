import type { Random } from '../../base';
import type { BoxState } from '../../contract';

/** How a box stands with this engine. */
export interface Standing {
  readonly state: BoxState;
  /** Why it is not online. */
  readonly reason?: string;
  /** Attempts and short connections since it last was online for long. */
  readonly failures: number;
}

export type Happening =
  | { readonly kind: 'opened' }
  /** Online for long enough that the next loss is news. */
  | { readonly kind: 'steady' }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The user wants it tried now, perhaps with another token. */
  | { readonly kind: 'asked' };

export const UNTRIED: Standing = { state: 'connecting', failures: 0 };

/** A refusal ends attempts until the user asks; everything else goes on for ever. */
export function standingAfter(standing: Standing, happening: Happening): Standing {
  switch (happening.kind) {
    case 'opened':
      return { state: 'online', failures: standing.failures };
    case 'steady':
      return { ...standing, failures: 0 };
    case 'lost':
      return {
        state: standing.state === 'online' ? 'connecting' : 'offline',
        reason: happening.reason,
        failures: standing.failures + 1,
      };
    case 'refused':
      return { state: 'refused', reason: happening.reason, failures: standing.failures };
    case 'asked':
      return UNTRIED;
  }
}

const FIRST_WAIT_MS = 500;
export const LONGEST_WAIT_MS = 60_000;
const MOST_DOUBLINGS = 10;

/**
 * Before the next attempt. Between half of it and the whole, by chance: boxes that went together, as with their switch,
 * must not come back in one moment.
 */
export function waitMs(failures: number, random: Random): number {
  const doublings = Math.min(Math.max(0, failures - 1), MOST_DOUBLINGS);
  const wholeMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** doublings);
  return wholeMs * (0.5 + random() / 2);
}
