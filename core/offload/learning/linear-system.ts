/**
 * Normal equations of a weighted least-squares problem; rows are added one by one, and what they came to can be kept,
 * faded and added to others. Only the lower triangle of the moments is kept.
 */
export class NormalEquations {
  private readonly moments: Float64Array;
  private readonly products: Float64Array;
  private readonly scratch: Float64Array;

  constructor(private readonly size: number) {
    this.moments = new Float64Array(size * size);
    this.products = new Float64Array(size);
    this.scratch = new Float64Array(size);
  }

  clear(): void {
    this.moments.fill(0);
    this.products.fill(0);
  }

  assign(other: NormalEquations): void {
    this.moments.set(other.moments);
    this.products.set(other.products);
  }

  /** Lets all rows added so far count this much of what they did. */
  fade(share: number): void {
    for (let at = 0; at < this.moments.length; at += 1) this.moments[at]! *= share;
    for (let at = 0; at < this.products.length; at += 1) this.products[at]! *= share;
  }

  /** Adds a row times `scale`, and its target times `scale`. */
  add(row: Float64Array, target: number, scale: number): void {
    const { size, moments, products } = this;
    const weight = scale * scale;
    for (let i = 0; i < size; i += 1) {
      const value = weight * row[i]!;
      if (value === 0) continue;
      products[i]! += value * target;
      for (let j = 0; j <= i; j += 1) moments[i * size + j]! += value * row[j]!;
    }
  }

  /**
   * Minimises sum((row . weights - target)^2) + sum(ridge * (weights - prior)^2) by Cholesky factorisation. The
   * equations are used up, but for `variance`.
   * @param ridge, prior [size]. @param weights [size], filled; may be `prior`.
   */
  solve(ridge: Float64Array, prior: Float64Array, weights: Float64Array): void {
    const { size, moments, products } = this;
    for (let i = 0; i < size; i += 1) {
      moments[i * size + i]! += ridge[i]!;
      products[i]! += ridge[i]! * prior[i]!;
    }
    this.factorise();
    for (let i = 0; i < size; i += 1) {
      let sum = products[i]!;
      for (let k = 0; k < i; k += 1) sum -= moments[i * size + k]! * weights[k]!;
      weights[i] = sum / moments[i * size + i]!;
    }
    for (let i = size - 1; i >= 0; i -= 1) {
      let sum = weights[i]!;
      for (let k = i + 1; k < size; k += 1) sum -= moments[k * size + i]! * weights[k]!;
      weights[i] = sum / moments[i * size + i]!;
    }
  }

  /** After `solve`: variance of `row . weights` in units of the rows' own noise. */
  variance(row: Float64Array): number {
    const { size, moments, scratch } = this;
    let sum = 0;
    for (let i = 0; i < size; i += 1) {
      let value = row[i]!;
      for (let k = 0; k < i; k += 1) value -= moments[i * size + k]! * scratch[k]!;
      value /= moments[i * size + i]!;
      scratch[i] = value;
      sum += value * value;
    }
    return sum;
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
