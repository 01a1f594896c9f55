import { LayerRows, layerRowsBytes, wholeSteps, type AttentionPass } from '../../llm';
import type { CompressedCache, CompressedCacheOptions, Compressor, LayerObservation } from '../compressor';

const ROOM = 384;

/** Keeps the last tokens only: the simplest thing that drafts badly enough for every branch of a round. */
export function windowCompressor(
  keep: number,
  observes: Compressor['observes'] = 'nothing',
): Compressor & { readonly seen: LayerObservation[] } {
  const seen: LayerObservation[] = [];
  const rows = wholeSteps(keep + ROOM);
  return {
    name: 'window',
    title: 'Window',
    source: 'test',
    kind: 'drop',
    observes,
    seen,
    cacheBytes: ({ shape, layers }) => layers * layerRowsBytes(shape, rows),
    createCache: (options) => new WindowCache(options, keep, rows, seen),
  };
}

class WindowCache implements CompressedCache {
  position = 0;
  private rows = 0;
  private readonly layers: readonly LayerRows[];

  constructor(
    private readonly options: CompressedCacheOptions,
    private readonly keep: number,
    private readonly capacity: number,
    private readonly seen: LayerObservation[],
  ) {
    const { environment, shape, layers } = options;
    this.layers = Array.from({ length: layers }, () => new LayerRows(environment, shape, capacity));
  }

  get byteLength(): number {
    return this.layers.reduce((sum, { memory }) => sum + memory.bytes.byteLength, 0);
  }

  hasRoom(tokens: number): boolean {
    return this.rows + tokens <= this.capacity;
  }

  compress(observation: LayerObservation): void {
    const { layer, tokens } = observation;
    this.seen.push(observation);
    const { kvHeads, headDim } = this.options.shape;
    const kept = Math.min(tokens, this.keep);
    for (let head = 0; head < kvHeads; head += 1) {
      this.layers[layer]!.rows(0, head, 0, kept).set(
        observation.keys(head).subarray((tokens - kept) * headDim),
      );
      this.layers[layer]!.rows(1, head, 0, kept).set(
        observation.values(head).subarray((tokens - kept) * headDim),
      );
    }
  }

  restart(position: number): void {
    this.position = position;
    this.rows = Math.min(position, this.keep);
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    this.layers[layer]!.write(this.rows + offset, keys, values);
  }

  attend(layer: number, pass: AttentionPass): void {
    const before = this.rows + pass.offset;
    this.options.attention.run(pass, this.layers[layer]!.view(wholeSteps(before + pass.tokens)), before);
  }

  advance(tokens: number): void {
    this.rows += tokens;
    this.position += tokens;
  }

  truncate(position: number): void {
    const drop = this.position - position;
    if (drop <= 0) return;
    this.rows -= drop;
    this.position = position;
  }

  keptTokens(): number {
    return this.rows;
  }

  release(): void {
    for (const layer of this.layers) layer.release();
  }
}
