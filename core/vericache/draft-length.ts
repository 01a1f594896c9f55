import { SluiceError } from '../contract';

/** Longest draft: the verification's other token is the one before it. */
const MAX_DRAFT_TOKENS = 63;
const FIRST_LENGTH = 8;
/** Weight of the latest round; the others fade. */
const MEMORY = 0.85;
/** Before anything is known: three tokens in four are accepted. */
const PRIOR_TRIALS = 8;
const PRIOR_ACCEPTED = 6;

export interface RoundFigures {
  readonly drafted: number;
  readonly accepted: number;
  readonly draftMs: number;
  /** Verification with the waits for the full cache. */
  readonly verifyMs: number;
}

/**
 * Chooses how many tokens to draft. With acceptance a per token, a draft of k gives (1 - a^(k+1)) / (1 - a) tokens
 * (Leviathan et al. 2023, arXiv 2211.17192, equation 1) and takes k drafting steps and one verification, whose time is
 * fitted as a line over k. The k that gives most tokens per time is chosen.
 */
export class DraftLength {
  private trials = PRIOR_TRIALS;
  private acceptedTrials = PRIOR_ACCEPTED;
  private draftTokenMs = 0;
  private readonly line = new FadingLine();
  private known = false;

  /** @param fixed a length that never changes. */
  constructor(private readonly fixed?: number) {}

  /** @throws SluiceError `bad-input` for a length that no round can have. */
  static of(length: number | 'auto'): DraftLength {
    if (length === 'auto') return new DraftLength();
    if (Number.isInteger(length) && length >= 1 && length <= MAX_DRAFT_TOKENS) return new DraftLength(length);
    throw new SluiceError(
      'bad-input',
      `Draft length: expected 1 to ${MAX_DRAFT_TOKENS} or auto, found ${length}.`,
    );
  }

  /** Tokens to draft in the next round. */
  get next(): number {
    if (this.fixed !== undefined) return this.fixed;
    if (!this.known) return FIRST_LENGTH;
    let best = 1;
    let bestRate = 0;
    for (let length = 1; length <= MAX_DRAFT_TOKENS; length += 1) {
      const rate = this.expectedTokens(length) / (length * this.draftTokenMs + this.line.at(length));
      if (rate <= bestRate) continue;
      best = length;
      bestRate = rate;
    }
    return best;
  }

  /** Acceptance of a drafted token, as believed now. */
  get acceptance(): number {
    return this.acceptedTrials / this.trials;
  }

  add({ drafted, accepted, draftMs, verifyMs }: RoundFigures): void {
    if (drafted === 0) return;
    // Tokens behind the first rejected one were not judged.
    const judged = Math.min(drafted, accepted + 1);
    this.trials = this.trials * MEMORY + judged;
    this.acceptedTrials = this.acceptedTrials * MEMORY + accepted;
    const tokenMs = draftMs / drafted;
    this.draftTokenMs = this.known ? this.draftTokenMs * MEMORY + tokenMs * (1 - MEMORY) : tokenMs;
    this.line.add(drafted, verifyMs);
    this.known = true;
  }

  private expectedTokens(length: number): number {
    const a = Math.min(this.acceptance, 0.999);
    return (1 - a ** (length + 1)) / (1 - a);
  }
}

/** y = c + s x by least squares, old points fading; a positive slope is assumed where the points can't tell. */
class FadingLine {
  private weight = 0;
  private x = 0;
  private y = 0;
  private xx = 0;
  private xy = 0;

  add(x: number, y: number): void {
    this.weight = this.weight * MEMORY + 1;
    this.x = this.x * MEMORY + x;
    this.y = this.y * MEMORY + y;
    this.xx = this.xx * MEMORY + x * x;
    this.xy = this.xy * MEMORY + x * y;
  }

  at(x: number): number {
    const meanX = this.x / this.weight;
    const meanY = this.y / this.weight;
    const spread = this.xx / this.weight - meanX ** 2;
    const assumed = (meanY / (meanX + 1)) * ASSUMED_SHARE;
    const fitted = spread > 1 ? (this.xy / this.weight - meanX * meanY) / spread : assumed;
    const slope = Math.min(Math.max(fitted, 0), meanY / (meanX + 1));
    return Math.max(meanY + slope * (x - meanX), 0);
  }
}

/** Of a verification's time, what grows with its tokens, until rounds of several lengths tell. */
const ASSUMED_SHARE = 0.5;
