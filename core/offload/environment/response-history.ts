import { median } from '../../base';

/** Responses remembered of each kind. */
const KEPT = 15;
/** Below this many a kind of response has no typical time. */
const LEAST_KNOWN = 3;
/** A response this many times slower than typical ... */
const SLOW_FACTOR = 3;
/** ... and this much later is slow: short responses vary more than long ones. */
const SLOW_MARGIN_MS = 50;

interface Kind {
  readonly lastMs: number[];
  count: number;
}

/** How long each tier took for each variant lately, whoever asked. */
export class ResponseHistory {
  private readonly kinds = new Map<string, Kind>();

  record(tier: string, variantId: string, responseMs: number): void {
    const key = keyOf(tier, variantId);
    const kind = this.kinds.get(key) ?? { lastMs: [], count: 0 };
    kind.count += 1;
    kind.lastMs.push(responseMs);
    if (kind.lastMs.length > KEPT) kind.lastMs.shift();
    this.kinds.set(key, kind);
  }

  /** The last response, and how many there were; undefined before the first. */
  last(tier: string, variantId: string): { readonly responseMs: number; readonly count: number } | undefined {
    const kind = this.kinds.get(keyOf(tier, variantId));
    const responseMs = kind?.lastMs.at(-1);
    return kind && responseMs !== undefined ? { responseMs, count: kind.count } : undefined;
  }

  /** From when on a response is slow, ms; undefined while too little is known of its kind. */
  slowAfterMs(tier: string, variantId: string): number | undefined {
    const known = this.kinds.get(keyOf(tier, variantId))?.lastMs ?? [];
    return known.length < LEAST_KNOWN ? undefined : median(known) * SLOW_FACTOR + SLOW_MARGIN_MS;
  }
}

function keyOf(tier: string, variantId: string): string {
  return `${tier} ${variantId}`;
}
