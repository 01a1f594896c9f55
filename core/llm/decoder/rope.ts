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

  /** Writes `[positions, dim / 2]` cosines and sines. A position's values depend on it alone. */
  fill(positions: readonly number[], cosines: Float32Array, sines: Float32Array): void {
    const pairs = this.frequencies.length;
    for (const [row, position] of positions.entries()) {
      for (let pair = 0; pair < pairs; pair += 1) {
        const angle = position * this.frequencies[pair]!;
        cosines[row * pairs + pair] = Math.cos(angle);
        sines[row * pairs + pair] = Math.sin(angle);
      }
    }
  }
}
