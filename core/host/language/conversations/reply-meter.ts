import type { ReplyStats, RoundRecord } from '../../../contract';
import type { Generation } from '../../../llm';

/** The figures of a reply while it goes on, and at its end. */
export class ReplyMeter {
  private promptTokens = 0;
  private reusedTokens = 0;
  private generatedTokens = 0;
  private startMs = 0;
  private prefilledMs: number | undefined;
  private rounds = 0;
  private drafted = 0;
  private accepted = 0;
  private draftLength = 0;
  private ended: Pick<ReplyStats, 'prefillMs' | 'decodeMs' | 'tokensPerSec'> | undefined;

  /**
   * @param written tokens of the reply from an earlier attempt: they are fed in with the prompt and count as
   * generated. @param earlier rounds of that attempt.
   */
  constructor(
    private readonly nowMs: () => number,
    private readonly written: number,
    earlier: readonly RoundRecord[],
  ) {
    for (const round of earlier) this.addRound(round);
  }

  /** @param tokens fed in, `written` ones included. */
  startPrefill(tokens: number): void {
    this.promptTokens = tokens - this.written;
    this.startMs = this.nowMs();
  }

  prefilled(reusedTokens: number): void {
    this.reusedTokens = reusedTokens;
    this.prefilledMs = this.nowMs();
  }

  addTokens(count: number): void {
    this.generatedTokens += count;
  }

  addRound({ drafted, accepted }: RoundRecord): void {
    this.rounds += 1;
    this.drafted += drafted;
    this.accepted += accepted;
    this.draftLength = drafted;
  }

  end({ tokens, prefillMs, decodeMs, tokensPerSec }: Generation): void {
    this.generatedTokens = tokens.length;
    this.ended = { prefillMs, decodeMs, tokensPerSec };
  }

  stats(): ReplyStats {
    return {
      promptTokens: this.promptTokens,
      reusedTokens: this.reusedTokens,
      generatedTokens: this.written + this.generatedTokens,
      ...(this.ended ?? this.rates()),
      acceptance: this.drafted > 0 ? this.accepted / this.drafted : 0,
      draftLength: this.draftLength,
      rounds: this.rounds,
    };
  }

  private rates(): Pick<ReplyStats, 'prefillMs' | 'decodeMs' | 'tokensPerSec'> {
    if (this.startMs === 0) return { prefillMs: 0, decodeMs: 0, tokensPerSec: 0 };
    const prefillMs = (this.prefilledMs ?? this.nowMs()) - this.startMs;
    const decodeMs = this.prefilledMs === undefined ? 0 : this.nowMs() - this.prefilledMs;
    // The first token came with the prompt's own pass.
    const tokens = Math.max(0, this.generatedTokens - 1);
    return { prefillMs, decodeMs, tokensPerSec: decodeMs > 0 ? (tokens * 1000) / decodeMs : 0 };
  }
}
