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
    this.reset();
  }

  predict(features: Float64Array): number {
    let sum = 0;
    for (let at = 0; at < this.size; at += 1) sum += this.weights[at]! * features[at]!;
    return sum;
  }

  /** Variance of the prediction in units of the samples' own. */
  uncertainty(features: Float64Array): number {
    const { size, inverse } = this;
    let sum = 0;
    for (let row = 0; row < size; row += 1) {
      const f = features[row]!;
      if (f === 0) continue;
      for (let column = 0; column < size; column += 1) {
        sum += f * inverse[row * size + column]! * features[column]!;
      }
    }
    return sum;
  }

  /** @param weight of the sample: the inverse of its variance relative to others. @returns target less prediction before it. */
  learn(features: Float64Array, target: number, weight = 1): number {
    const { size, inverse, gain, weights } = this;
    const error = target - this.predict(features);
    let spread = this.memory / weight;
    for (let row = 0; row < size; row += 1) {
      let sum = 0;
      for (let column = 0; column < size; column += 1)
        sum += inverse[row * size + column]! * features[column]!;
      gain[row] = sum;
      spread += sum * features[row]!;
    }
    for (let row = 0; row < size; row += 1) {
      weights[row]! += (gain[row]! / spread) * error;
      for (let column = 0; column <= row; column += 1) {
        const value = (inverse[row * size + column]! - (gain[row]! * gain[column]!) / spread) / this.memory;
        // Forgetting lets directions without samples grow without end; the prior is as unsure as it gets.
        const bounded = row === column ? Math.min(value, this.priorVariance) : value;
        inverse[row * size + column] = bounded;
        inverse[column * size + row] = bounded;
      }
    }
    return error;
  }

  /** Forgets how sure it is, not what it knows. */
  reset(): void {
    this.inverse.fill(0);
    for (let at = 0; at < this.size; at += 1) this.inverse[at * this.size + at] = this.priorVariance;
  }
}
