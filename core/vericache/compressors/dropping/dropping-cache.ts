import {
  FusedAttention,
  LayerRows,
  layerRowsBytes,
  wholeSteps,
  type AttentionPass,
  type HeadShape,
} from '../../../llm';
import { nativeMemoryBytes } from '../../../ort';
import type { CompressedCacheOptions, LayerObservation } from '../../compressor';
import { LayeredCache } from '../layered-cache';
import { ROOM_TOKENS } from '../room';
import { keptTokens } from './kept-tokens';

/** Writes how much each token of a head is worth keeping to `scores [tokens]`: the greater, the rather it stays. */
export type TokenScore = (observation: LayerObservation, head: number, scores: Float32Array) => void;

export interface DropRule {
  readonly score: TokenScore;
  /** How many of the last tokens stay whatever their scores, of `kept`; at most `kept - SINK_TOKENS`. */
  readonly recentTokens: (kept: number) => number;
}

/** Keys and values of some tokens of the text, for every key head its own, and of all that came after. */
export class DroppingCache extends LayeredCache {
  private readonly rows: readonly LayerRows[];
  /** Rows that hold what was compressed, by layer. */
  private readonly kept: number[];
  private scores = new Float32Array(0);
  private readonly fused: FusedAttention | undefined;

  /** @param capacities rows of each layer. @throws SluiceError `budget-too-small`. */
  constructor(
    private readonly options: CompressedCacheOptions,
    private readonly capacities: readonly number[],
    private readonly rule: DropRule,
  ) {
    super(options.layers);
    const { environment, shape } = options;
    this.rows = capacities.map((capacity) => new LayerRows(environment, shape, capacity));
    this.kept = capacities.map(() => 0);
    if (FusedAttention.supports(shape)) this.fused = new FusedAttention(environment, shape);
  }

  get byteLength(): number {
    return this.rows.reduce((sum, { memory }) => sum + memory.bytes.byteLength, 0);
  }

  hasRoom(tokens: number): boolean {
    return this.capacities.every((capacity, layer) => this.keptTokens(layer) + tokens <= capacity);
  }

  keptTokens(layer: number): number {
    return this.kept[layer]! + this.position - this.start;
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.options.shape;
    const row = this.keptTokens(layer) + offset;
    this.requireRows(row + keys.length / (kvHeads * headDim), this.capacities[layer]!);
    this.rows[layer]!.write(row, keys, values);
  }

  attend(layer: number, pass: AttentionPass): void {
    const before = this.keptTokens(layer) + pass.offset;
    const rows = this.rows[layer]!;
    // Several tokens at once take longer in the fused operator, and need no bits of it either.
    if (this.fused && pass.tokens === 1) this.fused.run(pass, rows, before);
    else this.options.attention.run(pass, rows.view(wholeSteps(before + pass.tokens)), before);
  }

  release(): void {
    this.fused?.release();
    for (const layer of this.rows) layer.release();
  }

  protected replaceLayer(observation: LayerObservation): void {
    const { layer, tokens } = observation;
    const keep = this.capacities[layer]! - ROOM_TOKENS;
    if (this.scores.length < tokens) this.scores = new Float32Array(tokens);
    const scores = this.scores.subarray(0, tokens);
    for (let head = 0; head < this.options.shape.kvHeads; head += 1) {
      // Nothing is chosen where all stay.
      if (tokens > keep) this.rule.score(observation, head, scores);
      const chosen = keptTokens(scores, keep, this.rule.recentTokens(keep));
      this.copyRows(layer, head, 0, observation.keys(head), chosen);
      this.copyRows(layer, head, 1, observation.values(head), chosen);
    }
    this.kept[layer] = Math.min(keep, tokens);
  }

  /** Neighbours are copied at once. */
  private copyRows(layer: number, head: number, kind: 0 | 1, source: Float32Array, chosen: Int32Array): void {
    const { headDim } = this.options.shape;
    const target = this.rows[layer]!.rows(kind, head, 0, chosen.length);
    for (let at = 0; at < chosen.length;) {
      const first = chosen[at]!;
      let end = at + 1;
      while (end < chosen.length && chosen[end] === first + end - at) end += 1;
      target.set(source.subarray(first * headDim, (first + end - at) * headDim), at * headDim);
      at = end;
    }
  }
}

/** Memory of a `DroppingCache`. */
export function droppingCacheBytes(shape: HeadShape, capacities: readonly number[]): number {
  return capacities.reduce((sum, capacity) => sum + nativeMemoryBytes(layerRowsBytes(shape, capacity)), 0);
}
