import { engineClockMs } from '../base';
import { SluiceError, type CacheMap, type CacheMemory } from '../contract';
import {
  GREEDY,
  Sampler,
  type DecodedToken,
  type PrefillOptions,
  type SamplingOptions,
  type TokenSource,
} from '../llm';
import { CachedText } from './cached-text';
import { Drafter, type Draft } from './drafter';
import { DraftLength } from './draft-length';
import { judge } from './judge';
import { MAX_ROUND_TOKENS } from './memory-plan';
import { prepareAll, proposerMemory } from './proposals';
import { RoundLog, type PlayedRound } from './round-log';
import type { CacheSettings, DraftSettings, VericacheOptions } from './vericache-options';

/** A compressed cache is made again before fewer tokens than this fit. */
const ROOM_TOKENS = MAX_ROUND_TOKENS;

/**
 * Decodes over a full cache that is outside fast memory (VeriCache, arXiv 2605.17613). A round drafts tokens over the
 * compressed cache while layers of the full cache come in, and verifies them in one pass over it: what the full cache
 * would have drawn is given out, token for token, so the text is that of plain decoding with the same seed. Without
 * verification, or without compression, it is the lossy or the plain decoding that this is compared with.
 */
export class VericacheSource implements TokenSource {
  private sampler: Sampler;
  /** Drawn from the prompt's own pass and not given out yet. */
  private first: number | undefined;
  private draftLength: DraftLength;
  private readonly log: RoundLog;
  /** Proposers have taken in the text that drafts follow. */
  private arePrepared = false;

  private constructor(
    private readonly options: VericacheOptions,
    private readonly nowMs: () => number,
    private readonly text: CachedText,
    private drafts: DraftSettings,
  ) {
    this.sampler = new Sampler(options.sampling ?? GREEDY);
    this.draftLength = DraftLength.of(drafts.draftLength);
    this.log = new RoundLog(options.onRound);
  }

  /** @throws SluiceError `budget-too-small` naming the least budget, `bad-input` (sampling, ratio). */
  static open(options: VericacheOptions): VericacheSource {
    const nowMs = options.nowMs ?? engineClockMs;
    return new VericacheSource(options, nowMs, CachedText.create(options, nowMs), options);
  }

  memory(): CacheMemory {
    return { ...this.text.caches.memory(), ...proposerMemory(this.drafts.proposers) };
  }

  map(): CacheMap {
    return this.text.caches.map();
  }

  /**
   * Takes effect at the next round; another compression or budget makes the caches anew.
   * @throws SluiceError `budget-too-small`, `bad-input`: nothing is changed then.
   */
  configure(change: Partial<DraftSettings & CacheSettings> & { readonly sampling?: SamplingOptions }): void {
    const { draftLength = this.drafts.draftLength, proposers, sampling, ...caches } = change;
    const sampler = sampling ? new Sampler(sampling) : this.sampler;
    const isSameLength = draftLength === this.drafts.draftLength;
    const chosen = isSameLength ? this.draftLength : DraftLength.of(draftLength);
    if (Object.keys(caches).length > 0) this.text.want(caches);
    this.sampler = sampler;
    this.draftLength = chosen;
    this.drafts = { draftLength, proposers: proposers ?? this.drafts.proposers };
    this.arePrepared = false;
  }

  async prefill(prompt: readonly number[], options: PrefillOptions = {}): Promise<number> {
    const { text } = this;
    await text.reconfigure();
    text.pending = undefined;
    this.first = undefined;
    this.log.restart(this.nowMs());
    const reused = await text.keepCommon(prompt);
    const logits = await text.mended(() => text.takeIn(prompt.slice(text.tokens.length), options));
    const first = this.sampler.pick(logits, prompt.length);
    this.arePrepared = false;
    await this.prepareProposers(prompt, options.signal);
    this.first = first;
    return Math.min(reused, text.mendedFrom ?? reused);
  }

  async next(limit: number, signal?: AbortSignal): Promise<readonly DecodedToken[]> {
    const { text } = this;
    if (this.first !== undefined) {
      const token = this.first;
      text.pending = token;
      this.first = undefined;
      return [{ token, origin: this.isVerifying ? 'bonus' : 'full' }];
    }
    if (text.pending === undefined)
      throw new SluiceError('internal', 'Nothing to go on from: prefill first.');
    if (text.isToChange) await text.refresh(signal);
    const { compression } = text.caches.settings;
    const { pending } = text;
    const tokens = [...text.tokens];
    await this.prepareProposers([...tokens, pending], signal);
    const step = (): Promise<readonly DecodedToken[]> => {
      if (!compression) return this.plainStep(pending);
      return compression.verify ? this.round(pending, limit, signal) : this.lossyStep(pending, signal);
    };
    return text.mended(async () => {
      text.pending = pending;
      if (text.tokens.length < tokens.length)
        await text.takeIn(tokens.slice(text.tokens.length), signal ? { signal } : {});
      return step();
    });
  }

  /** Waits until what the full cache may keep is in it; then all of the text but the last tokens survives the process. */
  settled(): Promise<readonly number[]> {
    return this.text.settled();
  }

  /** Frees all caches; the full one stays its owner's. */
  close(): Promise<void> {
    return this.text.caches.close();
  }

  private get isVerifying(): boolean {
    return this.text.caches.settings.compression?.verify === true;
  }

  /** Before the clock of a round runs. */
  private async prepareProposers(text: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    if (this.arePrepared || !this.isVerifying) return;
    await prepareAll(this.drafts.proposers, text, signal);
    this.arePrepared = true;
  }

  private async plainStep(token: number): Promise<readonly DecodedToken[]> {
    const { text } = this;
    const startMs = this.nowMs();
    text.caches.swapped.waitMs = 0;
    const logits = await text.pass([token], 1);
    text.add(token);
    const picked = this.sampler.pick(logits, text.tokens.length);
    text.pending = picked;
    const verifiedMs = this.nowMs();
    await text.settle();
    this.report({ startMs, draftedMs: startMs, verifiedMs, drafted: 0, proposed: 0, accepted: 0 });
    return [{ token: picked, origin: 'full' }];
  }

  private async lossyStep(token: number, signal?: AbortSignal): Promise<readonly DecodedToken[]> {
    const { text } = this;
    const compressed = text.caches.compressed!;
    if (!compressed.hasRoom(1)) await text.refresh(signal);
    const logits = await this.options.decoder.forward([token], compressed, 1);
    text.addUnverified(token);
    const picked = this.sampler.pick(logits, text.tokens.length);
    text.pending = picked;
    return [{ token: picked, origin: 'lossy' }];
  }

  private async round(
    pending: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly DecodedToken[]> {
    const { text } = this;
    const { swapped } = text.caches;
    const compressed = text.caches.compressed!;
    const startMs = this.nowMs();
    const length = Math.min(this.draftLength.next, limit - 1, this.options.decoder.maxLogitRows - 1);
    const { tokens: drafted, proposed } = await this.draft(pending, length, signal);
    const draftedMs = this.nowMs();
    compressed.truncate(text.tokens.length);
    const isDue = !compressed.hasRoom(2 * ROOM_TOKENS);
    if (isDue) text.compressIn(false);
    swapped.waitMs = 0;
    const logits = await text.pass([pending, ...drafted], drafted.length + 1, signal);
    const { tokens, accepted } = judge(this.sampler, logits, drafted, text.tokens.length + 1);
    const verifiedMs = this.nowMs();
    if (isDue) text.compressionDone();
    text.add(pending, ...drafted.slice(0, accepted));
    text.follow(accepted + 1);
    text.pending = tokens.at(-1)!.token;
    await text.settle();
    this.report({ startMs, draftedMs, verifiedMs, drafted: drafted.length, proposed, accepted });
    return tokens;
  }

  private async draft(pending: number, length: number, signal: AbortSignal | undefined): Promise<Draft> {
    if (length < 1) return { tokens: [], proposed: 0 };
    const compressed = this.text.caches.compressed!;
    const text = [...this.text.tokens, pending];
    const { decoder, endTokens = new Set() } = this.options;
    const drafter = new Drafter(decoder, compressed, this.sampler);
    try {
      return await drafter.draft({ text, length, proposers: this.drafts.proposers, endTokens, signal });
    } catch (error) {
      compressed.truncate(this.text.tokens.length);
      throw error;
    }
  }

  private report(round: PlayedRound): void {
    this.draftLength.add(this.log.add(round, this.text.caches.swapped));
  }
}
