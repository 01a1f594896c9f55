/** A feature vector as its values other than zero. */
export interface SparseFeatures {
  readonly length: number;
  readonly at: Int32Array;
  readonly value: Float64Array;
}

/**
 * Recursive least squares with ridge start and exponential forgetting. Keeps the inverse of the features' moment
 * matrix, which also tells how uncertain a prediction is.
 */
export class RecursiveLeastSquares {
  readonly weights: Float64Array;
  /** [size, size], symmetric. */
  readonly inverse: Float64Array;
  private readonly gain: Float64Array;

  /**
   * @param priorVariance of each weight before any sample.
   * @param memory share of the past that counts at each sample; 1 forgets nothing.
   */
  constructor(
    readonly size: number,
    private readonly priorVariance: number,
    private readonly memory: number,
  ) {
    this.weights = new Float64Array(size);
    this.inverse = new Float64Array(size * size);
    this.gain = new Float64Array(size);
    for (let at = 0; at < size; at += 1) this.inverse[at * size + at] = priorVariance;
  }

  /**
   * Takes over what another has learned of other features.
   * @param origins [size]: which of those each feature is; of several that were one, only the first is as sure.
   */
  adopt(weights: ArrayLike<number>, inverse: ArrayLike<number>, origins: Int32Array): void {
    const { size } = this;
    const sourceSize = weights.length;
    const isFirst = (at: number): boolean => origins.indexOf(origins[at]!) === at;
    for (let row = 0; row < size; row += 1) {
      this.weights[row] = weights[origins[row]!]!;
      for (let column = 0; column < size; column += 1) {
        const prior = row === column ? this.priorVariance : 0;
        const known = isFirst(row) && isFirst(column);
        this.inverse[row * size + column] = known
          ? inverse[origins[row]! * sourceSize + origins[column]!]!
          : prior;
      }
    }
  }

  predict({ length, at, value }: SparseFeatures): number {
    let sum = 0;
    for (let index = 0; index < length; index += 1) sum += this.weights[at[index]!]! * value[index]!;
    return sum;
  }

  /** Variance of the prediction in units of the samples' own. */
  uncertainty({ length, at, value }: SparseFeatures): number {
    const { size, inverse } = this;
    let sum = 0;
    for (let row = 0; row < length; row += 1) {
      const rowAt = at[row]! * size;
      for (let column = 0; column < row; column += 1)
        sum += 2 * value[row]! * inverse[rowAt + at[column]!]! * value[column]!;
      sum += value[row]! * inverse[rowAt + at[row]!]! * value[row]!;
    }
    return sum;
  }

  /** @param weight of the sample: the inverse of its variance relative to others. */
  learn(features: SparseFeatures, target: number, weight: number): void {
    const { size, inverse, gain, weights } = this;
    const { length, at, value } = features;
    const error = target - this.predict(features);
    const spread = this.memory / weight + this.uncertainty(features);
    for (let row = 0; row < size; row += 1) {
      let sum = 0;
      for (let index = 0; index < length; index += 1)
        sum += inverse[row * size + at[index]!]! * value[index]!;
      gain[row] = sum;
    }
    for (let row = 0; row < size; row += 1) {
      weights[row]! += (gain[row]! / spread) * error;
      for (let column = 0; column <= row; column += 1) {
        const next = (inverse[row * size + column]! - (gain[row]! * gain[column]!) / spread) / this.memory;
        // Forgetting lets directions without samples grow without end; the prior is as unsure as it gets.
        const bounded = row === column ? Math.min(next, this.priorVariance) : next;
        inverse[row * size + column] = bounded;
        inverse[column * size + row] = bounded;
      }
    }
  }
}
