import { SluiceError } from '../contract';
import type { Decoder, Sampler } from '../llm';
import type { CompressedCache } from './compressor';
import { firstProposal } from './proposals';
import type { Proposer } from './vericache-options';

/** Tokens a proposer may give at once: a pass over them costs about as much as two or three tokens one by one. */
const PROPOSAL_TOKENS = 8;

export interface Draft {
  readonly tokens: readonly number[];
  /** Of them, those that a proposer gave and the compressed cache agreed to. */
  readonly proposed: number;
}

export interface DraftRequest {
  /** All tokens that were given out. The last one is in no cache yet. */
  readonly text: readonly number[];
  readonly length: number;
  readonly proposers: readonly Proposer[];
  readonly endTokens: ReadonlySet<number>;
  readonly signal: AbortSignal | undefined;
}

/** Drafts over the compressed cache; what proposers give is filtered by it, several tokens a pass. */
export class Drafter {
  constructor(
    private readonly decoder: Decoder,
    private readonly cache: CompressedCache,
    private readonly sampler: Sampler,
  ) {}

  /** The cache then holds the drafted tokens too, but for the last. @throws SluiceError `cancelled`, `runtime`. */
  async draft({ text, length, proposers, endTokens, signal }: DraftRequest): Promise<Draft> {
    const all = [...text];
    const end = text.length + length;
    let proposed = 0;
    while (all.length < end) {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw new SluiceError('cancelled', 'The draft was cancelled.');
      const limit = Math.min(PROPOSAL_TOKENS, end - all.length - 1);
      const proposal = limit > 0 ? await firstProposal(proposers, all, limit, signal) : [];
      const before = all.length;
      const agreed = await this.extend(all, proposal);
      proposed += agreed;
      const stop = all.findIndex((token, index) => index >= before && endTokens.has(token));
      if (stop < 0) continue;
      all.length = stop + 1;
      break;
    }
    return { tokens: all.slice(text.length), proposed };
  }

  /** Adds the proposed tokens that the cache would have drawn, and its own next. @returns how many were agreed to. */
  private async extend(all: number[], proposal: readonly number[]): Promise<number> {
    const position = all.length;
    const rows = proposal.length + 1;
    const logits = await this.decoder.forward([all.at(-1)!, ...proposal], this.cache, rows);
    const size = logits.length / rows;
    let agreed = 0;
    for (;;) {
      const row = logits.subarray(agreed * size, (agreed + 1) * size);
      const drawn = this.sampler.pick(row, position + agreed);
      all.push(drawn);
      if (agreed === proposal.length || drawn !== proposal[agreed]) break;
      agreed += 1;
    }
    if (agreed < proposal.length) this.cache.truncate(position + agreed);
    return agreed;
  }
}
