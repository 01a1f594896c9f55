import { SluiceError } from '../../contract';
import type { AttentionPass } from '../../llm';
import type { CompressedCache, LayerObservation } from '../compressor';

/** What every compressed cache does alike: where it is in the text, and since when. */
export abstract class LayeredCache implements CompressedCache {
  position = 0;
  /** Tokens at the last `restart`. */
  protected start = 0;
  private readonly compressedTokens: number[];

  protected constructor(protected readonly layers: number) {
    this.compressedTokens = new Array<number>(layers).fill(0);
  }

  abstract readonly byteLength: number;
  abstract hasRoom(tokens: number): boolean;
  abstract store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void;
  abstract attend(layer: number, pass: AttentionPass): void;
  abstract keptTokens(layer: number): number;
  abstract release(): void;
  protected abstract replaceLayer(observation: LayerObservation): void;

  compress(observation: LayerObservation): void {
    this.replaceLayer(observation);
    this.compressedTokens[observation.layer] = observation.tokens;
  }

  restart(position: number): void {
    const other = this.compressedTokens.find((tokens) => tokens !== position);
    if (other !== undefined) {
      throw new SluiceError(
        'internal',
        `A layer compressed at ${other} tokens can't restart at ${position}.`,
      );
    }
    this.start = position;
    this.position = position;
  }

  advance(tokens: number): void {
    this.position += tokens;
  }

  truncate(position: number): void {
    if (position < this.start) {
      throw new SluiceError(
        'internal',
        `A cache compressed at ${this.start} tokens can't go back to ${position}.`,
      );
    }
    this.position = Math.min(this.position, position);
  }

  protected requireRows(needed: number, capacity: number): void {
    if (needed <= capacity) return;
    throw new SluiceError('internal', `${needed} rows don't fit a compressed cache of ${capacity}.`);
  }
}
