import { commonPrefix, type PrefillOptions } from '../llm';
import { CacheSet, planCaches } from './cache-set';
import { BLOCK_TOKENS, lostBlock } from './full-cache';
import { MAX_ROUND_TOKENS } from './memory-plan';
import type { CacheSettings, VericacheOptions } from './vericache-options';

/** Tokens of a pass over a prompt: a layer of the full cache comes in once for all of them. */
const PART_TOKENS = 2048;
/** Damage at more places than this is a failing disk. */
const MOST_MENDINGS = 4;

/**
 * A text with the caches that hold it: takes tokens in, goes back to earlier ones, and is made anew when the full cache
 * lost some of it or the caches are to be others.
 */
export class CachedText {
  /** Given out, and in no cache yet; undefined when only another prompt can follow. */
  pending: number | undefined;
  /** Tokens in the full cache, or in the compressed one when nothing is verified. */
  private readonly held: number[];
  /** Tokens at the end of `held` that the full cache has not seen: of lossy decoding. */
  private unverified = 0;
  private wanted: Partial<CacheSettings> | undefined;
  private lostFrom: number | undefined;

  private constructor(
    private readonly options: VericacheOptions,
    private readonly nowMs: () => number,
    private set: CacheSet,
  ) {
    this.held = options.storedText.slice(0, options.fullCache.blocks * BLOCK_TOKENS);
  }

  /** @throws SluiceError `budget-too-small` naming the least budget, `bad-input` (ratio). */
  static create(options: VericacheOptions, nowMs: () => number): CachedText {
    return new CachedText(options, nowMs, CacheSet.create({ ...options, nowMs }, options));
  }

  get tokens(): readonly number[] {
    return this.held;
  }

  get caches(): CacheSet {
    return this.set;
  }

  /** Tokens that were left when blocks were lost in the last action. */
  get mendedFrom(): number | undefined {
    return this.lostFrom;
  }

  /** Whether `refresh` would make other caches. */
  get isToChange(): boolean {
    return this.wanted !== undefined;
  }

  /** Other caches, from the next `refresh` on. @throws SluiceError `budget-too-small`, `bad-input`: nothing is changed then. */
  want(change: Partial<CacheSettings>): void {
    const wanted = { ...this.wanted, ...change };
    planCaches(this.options.decoder, { ...this.set.settings, ...wanted });
    this.wanted = wanted;
  }

  /** Goes back to what a prompt begins with; its last token goes through again for its logits. @returns tokens kept. */
  async keepCommon(prompt: readonly number[]): Promise<number> {
    const common = Math.min(
      commonPrefix(this.held, prompt),
      prompt.length - 1,
      this.held.length - this.unverified,
    );
    if (common < this.set.swapped.position || this.unverified > 0) await this.restore(common);
    return this.held.length;
  }

  /** Runs tokens through the full cache and makes the compressed one anew. @returns logits of the last. */
  async takeIn(tokens: readonly number[], { signal, onProgress }: PrefillOptions): Promise<Float32Array> {
    const parts = Math.ceil(tokens.length / PART_TOKENS);
    const size = Math.ceil(tokens.length / parts);
    let logits = new Float32Array() as Float32Array;
    for (let at = 0; at < tokens.length; at += size) {
      const part = tokens.slice(at, at + size);
      const isLast = at + part.length === tokens.length;
      if (isLast) this.compressIn(true);
      logits = await this.pass(part, isLast ? 1 : 0, signal);
      this.held.push(...part);
      await this.settle();
      if (isLast) this.compressionDone();
      onProgress?.(this.held.length);
    }
    return logits;
  }

  /**
   * A pass over the full cache; the caller adds those of its tokens that count, and settles. When it fails, the caches
   * go back to what the full cache keeps, and unless the caller takes the rest in again, only a prefill can follow.
   * @returns logits `[logitRows, vocabulary]` of the last tokens.
   */
  async pass(tokens: readonly number[], logitRows: number, signal?: AbortSignal): Promise<Float32Array> {
    const { swapped } = this.set;
    await swapped.prepare(this.held, tokens.length);
    try {
      return await this.options.decoder.forward(tokens, swapped, logitRows, signal);
    } catch (error) {
      swapped.observer = undefined;
      this.pending = undefined;
      await this.restore(this.held.length);
      throw error;
    }
  }

  /** Tokens that the full cache has seen. */
  add(...tokens: readonly number[]): void {
    this.held.push(...tokens);
  }

  /** A token that only the compressed cache has seen. */
  addUnverified(token: number): void {
    this.held.push(token);
    this.unverified += 1;
  }

  /** What was added counts; tokens of the pass that were not are forgotten. */
  settle(): Promise<void> {
    return this.set.swapped.settle(this.held);
  }

  /** The next pass compresses every layer anew. @param includesPass its own tokens too. */
  compressIn(includesPass: boolean): void {
    const { swapped, compressed } = this.set;
    if (!compressed) return;
    swapped.observer = { includesPass, see: (observation) => compressed.compress(observation) };
  }

  /** Every layer was compressed, at the tokens of the text. */
  compressionDone(): void {
    const { swapped, compressed } = this.set;
    if (!swapped.observer) return;
    swapped.observer = undefined;
    compressed?.restart(this.held.length);
  }

  /** The compressed cache takes the verified keys and values in the place of the drafted ones. */
  follow(count: number): void {
    const { swapped, compressed } = this.set;
    const { kvHeads, headDim } = this.options.decoder.config;
    const floats = count * kvHeads * headDim;
    for (const [layer, { keys, values }] of swapped.round.entries()) {
      compressed!.store(layer, 0, keys.subarray(0, floats), values.subarray(0, floats));
    }
    compressed!.advance(count);
  }

  /**
   * Where the full cache lost blocks (damaged, or on a node that is gone), the text is taken back to what is left, and
   * the action tried again from there.
   */
  async mended<T>(action: () => Promise<T>): Promise<T> {
    this.lostFrom = undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        const lost = lostBlock(error);
        if (lost === undefined || attempt === MOST_MENDINGS) throw error;
        await this.restore(Math.min(lost * BLOCK_TOKENS, this.held.length));
        this.lostFrom = Math.min(this.lostFrom ?? Infinity, this.held.length);
      }
    }
  }

  /** Caches are made anew if they have to be, and the full cache catches up with the text. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const text = [...this.held];
    const isRebuilt = await this.reconfigure();
    const behind = isRebuilt ? text.slice(this.held.length) : text.slice(text.length - this.unverified);
    this.held.length = text.length - behind.length;
    this.unverified = 0;
    await this.takeIn(behind, signal ? { signal } : {});
  }

  /** @returns whether the caches are new, with the whole blocks of the text in the full one only. */
  async reconfigure(): Promise<boolean> {
    const { wanted } = this;
    if (!wanted) return false;
    this.wanted = undefined;
    const settings = { ...this.set.settings, ...wanted };
    const { fullCache } = this.options;
    if (this.unverified === 0) await this.settled();
    await this.set.close();
    this.set = CacheSet.create({ ...this.options, nowMs: this.nowMs }, settings);
    // At least one token has to go through for the compressed cache.
    const kept = Math.max(0, Math.min(fullCache.blocks * BLOCK_TOKENS, this.held.length - 1));
    await this.restore(kept);
    return true;
  }

  /** Waits until what the full cache may keep is in it; then all of the text but the last tokens survives the process. */
  async settled(): Promise<readonly number[]> {
    await this.set.swapped.prepare(this.held, MAX_ROUND_TOKENS + 1);
    return this.held;
  }

  private async restore(tokens: number): Promise<void> {
    this.held.length = await this.set.swapped.restore(tokens);
    this.unverified = 0;
  }
}
