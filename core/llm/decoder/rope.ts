import type { RopeConfig } from './config';

/** Angles of rotary position embedding (Su et al. 2021, RoFormer), per position and pair of elements. */
export class Rope {
  private readonly frequencies: Float64Array;

  /** @param factors of Llama 3: each pair's frequency is divided by its own (`rope_freqs.weight`). */
  constructor({ dim, theta, scale }: RopeConfig, factors?: Float32Array) {
    this.frequencies = Float64Array.from({ length: dim / 2 }, (_, pair) => {
      return theta ** ((-2 * pair) / dim) / (factors?.[pair] ?? 1) / scale;
    });
  }

  /** Writes `[positions, dim / 2]` cosines and sines of positions from `first` on. Each depends on its position alone. */
  fill(first: number, cosines: Float32Array, sines: Float32Array): void {
    const pairs = this.frequencies.length;
    for (let at = 0; at < cosines.length; at += 1) {
      const angle = (first + Math.floor(at / pairs)) * this.frequencies[at % pairs]!;
      cosines[at] = Math.cos(angle);
      sines[at] = Math.sin(angle);
    }
  }
}
