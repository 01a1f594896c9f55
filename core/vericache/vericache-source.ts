import { engineClockMs } from '../base';
import { SluiceError, type CacheMap, type CacheMemory } from '../contract';
import {
  commonPrefix,
  GREEDY,
  Sampler,
  type DecodedToken,
  type PrefillOptions,
  type SamplingOptions,
  type TokenSource,
} from '../llm';
import { CacheSet, planCaches } from './cache-set';
import { Drafter, type Draft } from './drafter';
import { DraftLength } from './draft-length';
import { BLOCK_TOKENS, lostBlock } from './full-cache';
import { judge } from './judge';
import { MAX_ROUND_TOKENS } from './memory-plan';
import { prepareAll, proposerMemory } from './proposals';
import type { CacheSettings, DraftSettings, VericacheOptions } from './vericache-options';

/** Tokens of a pass over a prompt: a layer of the full cache comes in once for all of them. */
const PART_TOKENS = 2048;
/** Damage at more places than this is a failing disk. */
const MOST_MENDINGS = 4;
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
  private readonly nowMs: () => number;
  /** Tokens in the full cache, or in the compressed one when nothing is verified. */
  private readonly text: number[];
  /** Drawn from the prompt's own pass and not given out yet. */
  private first: number | undefined;
  /** Given out, and in no cache yet. */
  private pending: number | undefined;
  /** Tokens at the end of `text` that the full cache has not seen: of lossy decoding. */
  private unverified = 0;
  private draftLength: DraftLength;
  private rounds = 0;
  private startMs = 0;
  private readBytes = 0;
  private wanted: Partial<CacheSettings> | undefined;
  /** Proposers have taken in the text that drafts follow. */
  private arePrepared = false;
  /** Tokens that were left when blocks were lost in the last action. */
  private mendedFrom: number | undefined;

  private constructor(
    private readonly options: VericacheOptions,
    private caches: CacheSet,
    private drafts: DraftSettings,
  ) {
    this.sampler = new Sampler(options.sampling ?? GREEDY);
    this.nowMs = options.nowMs ?? engineClockMs;
    this.text = options.storedText.slice(0, options.fullCache.blocks * BLOCK_TOKENS);
    this.draftLength = DraftLength.of(drafts.draftLength);
  }

  /** @throws SluiceError `budget-too-small` naming the least budget, `bad-input` (sampling, ratio). */
  static open(options: VericacheOptions): VericacheSource {
    const nowMs = options.nowMs ?? engineClockMs;
    return new VericacheSource(options, CacheSet.create({ ...options, nowMs }, options), options);
  }

  memory(): CacheMemory {
    return { ...this.caches.memory(), ...proposerMemory(this.drafts.proposers) };
  }

  map(): CacheMap {
    return this.caches.map();
  }

  /**
   * Takes effect at the next round; another compression or budget makes the caches anew.
   * @throws SluiceError `budget-too-small`, `bad-input`: nothing is changed then.
   */
  configure(change: Partial<DraftSettings & CacheSettings> & { readonly sampling?: SamplingOptions }): void {
    const { draftLength, proposers, sampling, ...caches } = change;
    const sampler = sampling ? new Sampler(sampling) : this.sampler;
    const wanted = { ...this.wanted, ...caches };
    planCaches(this.options.decoder, { ...this.caches.settings, ...wanted });
    if (draftLength !== undefined && draftLength !== this.drafts.draftLength) {
      this.drafts = { ...this.drafts, draftLength };
      this.draftLength = DraftLength.of(this.drafts.draftLength);
    }
    this.sampler = sampler;
    this.arePrepared = false;
    if (proposers) this.drafts = { ...this.drafts, proposers };
    if (Object.keys(caches).length > 0) this.wanted = wanted;
  }

  async prefill(prompt: readonly number[], options: PrefillOptions = {}): Promise<number> {
    await this.reconfigure();
    this.pending = undefined;
    this.first = undefined;
    this.rounds = 0;
    this.startMs = this.nowMs();
    // The last token goes through again for its logits.
    const common = Math.min(
      commonPrefix(this.text, prompt),
      prompt.length - 1,
      this.text.length - this.unverified,
    );
    if (common < this.caches.swapped.position || this.unverified > 0) await this.restore(common);
    const reused = this.text.length;
    const logits = await this.mended(() => this.takeIn(prompt.slice(this.text.length), options));
    const first = this.sampler.pick(logits, prompt.length);
    this.arePrepared = false;
    await this.prepareProposers(prompt, options.signal);
    this.first = first;
    return Math.min(reused, this.mendedFrom ?? reused);
  }

  async next(limit: number, signal?: AbortSignal): Promise<readonly DecodedToken[]> {
    if (this.first !== undefined) {
      this.pending = this.first;
      this.first = undefined;
      const { compression } = this.caches.settings;
      return [{ token: this.pending, origin: compression?.verify === true ? 'bonus' : 'full' }];
    }
    if (this.pending === undefined)
      throw new SluiceError('internal', 'Nothing to go on from: prefill first.');
    if (this.wanted) await this.refresh(signal);
    const { compression } = this.caches.settings;
    const { pending } = this;
    const text = [...this.text];
    await this.prepareProposers([...text, pending], signal);
    const step = (): Promise<readonly DecodedToken[]> => {
      if (!compression) return this.plainStep(pending);
      return compression.verify ? this.round(limit, signal) : this.lossyStep(pending, signal);
    };
    return this.mended(async () => {
      this.pending = pending;
      if (this.text.length < text.length)
        await this.takeIn(text.slice(this.text.length), signal ? { signal } : {});
      return step();
    });
  }

  /** Before the clock of a round runs. */
  private async prepareProposers(text: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    if (this.arePrepared || this.caches.settings.compression?.verify !== true) return;
    await prepareAll(this.drafts.proposers, text, signal);
    this.arePrepared = true;
  }

  /** Waits until what the full cache may keep is in it; then all of `text` but the last tokens survives the process. */
  async settled(): Promise<readonly number[]> {
    await this.caches.swapped.prepare(this.text, MAX_ROUND_TOKENS + 1);
    return this.text;
  }

  /** Frees all caches; the full one stays its owner's. */
  close(): Promise<void> {
    return this.caches.close();
  }

  /**
   * Where the full cache lost blocks (damaged, or on a node that is gone), the text is taken back to what is left, and
   * the action tried again from there.
   */
  private async mended<T>(action: () => Promise<T>): Promise<T> {
    this.mendedFrom = undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        const lost = lostBlock(error);
        if (lost === undefined || attempt === MOST_MENDINGS) throw error;
        await this.restore(Math.min(lost * BLOCK_TOKENS, this.text.length));
        this.mendedFrom = Math.min(this.mendedFrom ?? Infinity, this.text.length);
      }
    }
  }

  /** Runs tokens through the full cache and makes the compressed one anew. @returns logits of the last. */
  private async takeIn(
    tokens: readonly number[],
    { signal, onProgress }: PrefillOptions,
  ): Promise<Float32Array> {
    const { swapped } = this.caches;
    const parts = Math.ceil(tokens.length / PART_TOKENS);
    const size = Math.ceil(tokens.length / parts);
    let logits = new Float32Array() as Float32Array;
    for (let at = 0; at < tokens.length; at += size) {
      const part = tokens.slice(at, at + size);
      const isLast = at + part.length === tokens.length;
      if (isLast) this.compressIn(true);
      logits = await this.pass(part, isLast ? 1 : 0, signal);
      this.text.push(...part);
      await swapped.settle(this.text);
      if (isLast) this.compressionDone();
      onProgress?.(this.text.length);
    }
    return logits;
  }

  /**
   * A pass over the full cache. When it fails, the caches go back to what the full cache keeps, and unless the caller
   * takes the rest in again, only a prefill can follow.
   */
  private async pass(
    tokens: readonly number[],
    logitRows: number,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const { swapped } = this.caches;
    await swapped.prepare(this.text, tokens.length);
    try {
      return await this.options.decoder.forward(tokens, swapped, logitRows, signal);
    } catch (error) {
      swapped.observer = undefined;
      this.pending = undefined;
      await this.restore(this.text.length);
      throw error;
    }
  }

  private async restore(tokens: number): Promise<void> {
    this.text.length = await this.caches.swapped.restore(tokens);
    this.unverified = 0;
  }

  private compressIn(includesPass: boolean): void {
    const { swapped, compressed } = this.caches;
    if (!compressed) return;
    swapped.observer = { includesPass, see: (observation) => compressed.compress(observation) };
  }

  /** Every layer was compressed, at the tokens of `text`. */
  private compressionDone(): void {
    const { swapped, compressed } = this.caches;
    if (!swapped.observer) return;
    swapped.observer = undefined;
    compressed?.restart(this.text.length);
  }

  private async plainStep(token: number): Promise<readonly DecodedToken[]> {
    const startMs = this.nowMs();
    this.caches.swapped.waitMs = 0;
    const logits = await this.pass([token], 1);
    this.text.push(token);
    const picked = this.sampler.pick(logits, this.text.length);
    this.pending = picked;
    const verifiedMs = this.nowMs();
    await this.caches.swapped.settle(this.text);
    this.report({ startMs, draftedMs: startMs, verifiedMs, draft: { tokens: [], proposed: 0 }, accepted: 0 });
    return [{ token: picked, origin: 'full' }];
  }

  private async lossyStep(token: number, signal?: AbortSignal): Promise<readonly DecodedToken[]> {
    const compressed = this.caches.compressed!;
    if (!compressed.hasRoom(1)) await this.refresh(signal);
    const logits = await this.options.decoder.forward([token], compressed, 1);
    this.text.push(token);
    this.unverified += 1;
    this.pending = this.sampler.pick(logits, this.text.length);
    return [{ token: this.pending, origin: 'lossy' }];
  }

  /** Caches are made anew if they have to be, and the full cache catches up with the text. */
  private async refresh(signal?: AbortSignal): Promise<void> {
    const text = [...this.text];
    const isRebuilt = await this.reconfigure();
    const behind = isRebuilt ? text.slice(this.text.length) : text.slice(text.length - this.unverified);
    this.text.length = text.length - behind.length;
    this.unverified = 0;
    await this.takeIn(behind, signal ? { signal } : {});
  }

  /** @returns whether the caches are new, with the whole blocks of the text in the full one only. */
  private async reconfigure(): Promise<boolean> {
    const { wanted } = this;
    if (!wanted) return false;
    this.wanted = undefined;
    const settings = { ...this.caches.settings, ...wanted };
    const { fullCache } = this.options;
    if (this.unverified === 0) await this.settled();
    await this.caches.close();
    this.caches = CacheSet.create({ ...this.options, nowMs: this.nowMs }, settings);
    // At least one token has to go through for the compressed cache.
    const kept = Math.max(0, Math.min(fullCache.blocks * BLOCK_TOKENS, this.text.length - 1));
    await this.restore(kept);
    return true;
  }

  private async round(limit: number, signal?: AbortSignal): Promise<readonly DecodedToken[]> {
    const compressed = this.caches.compressed!;
    const { swapped } = this.caches;
    const pending = this.pending!;
    const startMs = this.nowMs();
    const length = Math.min(this.draftLength.next, limit - 1, this.options.decoder.maxLogitRows - 1);
    const draft = await this.draft(length, signal);
    const draftedMs = this.nowMs();
    compressed.truncate(this.text.length);
    const isDue = !compressed.hasRoom(2 * ROOM_TOKENS);
    if (isDue) this.compressIn(false);
    swapped.waitMs = 0;
    const logits = await this.pass([pending, ...draft.tokens], draft.tokens.length + 1, signal);
    const { tokens, accepted } = judge(this.sampler, logits, draft.tokens, this.text.length + 1);
    const verifiedMs = this.nowMs();
    if (isDue) this.compressionDone();
    this.text.push(pending, ...draft.tokens.slice(0, accepted));
    this.follow(accepted + 1);
    this.pending = tokens.at(-1)!.token;
    await swapped.settle(this.text);
    this.report({ startMs, draftedMs, verifiedMs, draft, accepted });
    return tokens;
  }

  private async draft(length: number, signal: AbortSignal | undefined): Promise<Draft> {
    const compressed = this.caches.compressed!;
    if (length < 1) return { tokens: [], proposed: 0 };
    const text = [...this.text, this.pending!];
    const { decoder, endTokens = new Set() } = this.options;
    const drafter = new Drafter(decoder, compressed, this.sampler);
    try {
      return await drafter.draft({ text, length, proposers: this.drafts.proposers, endTokens, signal });
    } catch (error) {
      compressed.truncate(this.text.length);
      throw error;
    }
  }

  /** The compressed cache takes the verified keys and values in the place of the drafted ones. */
  private follow(count: number): void {
    const { swapped, compressed } = this.caches;
    const { kvHeads, headDim } = this.options.decoder.config;
    const floats = count * kvHeads * headDim;
    for (const [layer, { keys, values }] of swapped.round.entries()) {
      compressed!.store(layer, 0, keys.subarray(0, floats), values.subarray(0, floats));
    }
    compressed!.advance(count);
  }

  private report(round: {
    readonly startMs: number;
    readonly draftedMs: number;
    readonly verifiedMs: number;
    readonly draft: Draft;
    readonly accepted: number;
  }): void {
    const { startMs, draftedMs, verifiedMs, draft, accepted } = round;
    const { swapped } = this.caches;
    const drafted = draft.tokens.length;
    this.draftLength.add({
      drafted,
      accepted,
      draftMs: draftedMs - startMs,
      verifyMs: verifiedMs - draftedMs,
    });
    const readBytes = swapped.slots.readBytes - this.readBytes;
    this.readBytes = swapped.slots.readBytes;
    this.options.onRound?.({
      index: this.rounds,
      startMs: startMs - this.startMs,
      draftMs: draftedMs - startMs,
      swapMs: swapped.waitMs,
      verifyMs: verifiedMs - draftedMs - swapped.waitMs,
      drafted,
      proposed: draft.proposed,
      accepted,
      readBytes,
    });
    this.rounds += 1;
  }
}
