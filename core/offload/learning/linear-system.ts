/**
 * Ridge regression by normal equations: minimises sum((row . weights - target)^2) + sum(ridge * (weights - prior)^2).
 * Rows are added one by one; buffers are reused.
 */
export class RidgeRegression {
  private readonly moments: Float64Array;
  private readonly products: Float64Array;
  private squares = 0;

  constructor(
    readonly size: number,
    private readonly ridge: number,
  ) {
    this.moments = new Float64Array(size * size);
    this.products = new Float64Array(size);
  }

  clear(): void {
    this.moments.fill(0);
    this.products.fill(0);
    this.squares = 0;
  }

  /** Adds a row times `scale`, and its target times `scale`. Only the lower triangle is kept. */
  add(row: Float64Array, target: number, scale: number): void {
    const { size, moments, products } = this;
    const weight = scale * scale;
    for (let i = 0; i < size; i += 1) {
      const value = row[i]!;
      if (value === 0) continue;
      products[i]! += weight * value * target;
      for (let j = 0; j <= i; j += 1) moments[i * size + j]! += weight * value * row[j]!;
    }
    this.squares += weight * target * target;
  }

  /**
   * Solves by Cholesky factorisation; the moments are used up.
   * @param weights [size], filled. @returns the remaining sum of squares, ridge excluded.
   */
  solve(weights: Float64Array): number {
    const { size, moments, products } = this;
    for (let i = 0; i < size; i += 1) moments[i * size + i]! += this.ridge;
    this.factorise();
    for (let i = 0; i < size; i += 1) {
      let sum = products[i]!;
      for (let k = 0; k < i; k += 1) sum -= moments[i * size + k]! * weights[k]!;
      weights[i] = sum / moments[i * size + i]!;
    }
    let explained = 0;
    for (let i = 0; i < size; i += 1) explained += weights[i]! * weights[i]!;
    for (let i = size - 1; i >= 0; i -= 1) {
      let sum = weights[i]!;
      for (let k = i + 1; k < size; k += 1) sum -= moments[k * size + i]! * weights[k]!;
      weights[i] = sum / moments[i * size + i]!;
    }
    return this.squares - explained;
  }

  private factorise(): void {
    const { size, moments } = this;
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        let sum = moments[i * size + j]!;
        for (let k = 0; k < j; k += 1) sum -= moments[i * size + k]! * moments[j * size + k]!;
        moments[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / moments[j * size + j]!;
      }
    }
  }
}
