import { gaussian } from '../../base';
import type { Random } from '../../base';

export interface MlpShape {
  readonly inputs: number;
  readonly hidden: number;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const ADAM_EPSILON = 1e-8;

/**
 * One hidden layer of ReLU, one output, Adam (Kingma and Ba, arXiv 1412.6980). Weights of the first layer are
 * [inputs, hidden] row-major, so that one changed input costs one row. Training accumulates gradients sample by sample
 * and allocates nothing.
 */
export class Mlp {
  readonly inputs: number;
  readonly hidden: number;
  /** [inputs, hidden], then [hidden] biases, [hidden] output weights, [1] output bias. */
  readonly weights: Float32Array;
  private readonly gradient: Float32Array;
  private readonly mean: Float32Array;
  private readonly variance: Float32Array;
  private readonly pre: Float32Array;
  private readonly touched: Uint8Array;
  private readonly biasAt: number;
  private readonly outAt: number;
  /** Changes whenever the weights do. */
  version = 0;
  private updates = 0;

  constructor({ inputs, hidden }: MlpShape, random: Random) {
    this.inputs = inputs;
    this.hidden = hidden;
    this.biasAt = inputs * hidden;
    this.outAt = this.biasAt + hidden;
    const count = this.outAt + hidden + 1;
    this.weights = new Float32Array(count);
    this.gradient = new Float32Array(count);
    this.mean = new Float32Array(count);
    this.variance = new Float32Array(count);
    this.pre = new Float32Array(hidden);
    this.touched = new Uint8Array(inputs);
    const spread = Math.sqrt(2 / Math.max(1, Math.min(inputs, 16)));
    for (let at = 0; at < this.biasAt; at += 1) this.weights[at] = spread * gaussian(random);
    for (let at = this.outAt; at < count - 1; at += 1) {
      this.weights[at] = Math.sqrt(1 / hidden) * gaussian(random);
    }
  }

  /** @param input [inputs]. */
  predict(input: Float32Array): number {
    this.preactivate(input, this.pre);
    return this.finish(this.pre);
  }

  /** Fills `pre` [hidden] with what the hidden units sum to. */
  preactivate(input: Float32Array, pre: Float32Array): void {
    const { weights, hidden, inputs, biasAt } = this;
    for (let unit = 0; unit < hidden; unit += 1) pre[unit] = weights[biasAt + unit]!;
    for (let index = 0; index < inputs; index += 1) {
      const x = input[index]!;
      if (x === 0) continue;
      const row = index * hidden;
      for (let unit = 0; unit < hidden; unit += 1) pre[unit]! += weights[row + unit]! * x;
    }
  }

  /** The output for hidden sums. */
  finish(pre: Float32Array): number {
    const { weights, hidden, outAt } = this;
    let sum = weights[outAt + hidden]!;
    for (let unit = 0; unit < hidden; unit += 1) {
      const value = pre[unit]!;
      if (value > 0) sum += value * weights[outAt + unit]!;
    }
    return sum;
  }

  /** The output for hidden sums that are a sum of two: `pre` and a part of `added`. */
  finishSum(pre: Float32Array, added: Float32Array, at: number): number {
    const { weights, hidden, outAt } = this;
    let sum = weights[outAt + hidden]!;
    for (let unit = 0; unit < hidden; unit += 1) {
      const value = pre[unit]! + added[at + unit]!;
      if (value > 0) sum += value * weights[outAt + unit]!;
    }
    return sum;
  }

  /**
   * Adds the gradient of (scale * (output - target))^2 / 2, the scaled error bounded as in Huber's loss.
   * @returns the error, not scaled.
   */
  accumulate(input: Float32Array, target: number, scale = 1, largestError = Infinity): number {
    const { weights, gradient, hidden, inputs, biasAt, outAt, pre } = this;
    const error = this.predict(input) - target;
    const slope = scale * Math.max(-largestError, Math.min(largestError, scale * error));
    gradient[outAt + hidden]! += slope;
    for (let unit = 0; unit < hidden; unit += 1) {
      const value = pre[unit]!;
      if (value <= 0) {
        pre[unit] = 0;
        continue;
      }
      gradient[outAt + unit]! += slope * value;
      const back = slope * weights[outAt + unit]!;
      pre[unit] = back;
      gradient[biasAt + unit]! += back;
    }
    for (let index = 0; index < inputs; index += 1) {
      const x = input[index]!;
      if (x === 0) continue;
      this.touched[index] = 1;
      const row = index * hidden;
      for (let unit = 0; unit < hidden; unit += 1) gradient[row + unit]! += pre[unit]! * x;
    }
    return error;
  }

  /** One Adam step with what was accumulated; rows of inputs that were all zero stay as they are. */
  update(samples: number, learningRate: number): void {
    this.updates += 1;
    this.version += 1;
    const correction = Math.sqrt(1 - BETA2 ** this.updates) / (1 - BETA1 ** this.updates);
    const rate = learningRate * correction;
    const { hidden, inputs, touched } = this;
    for (let index = 0; index < inputs; index += 1) {
      if (touched[index] === 0) continue;
      touched[index] = 0;
      this.descend(index * hidden, (index + 1) * hidden, samples, rate);
    }
    this.descend(this.biasAt, this.weights.length, samples, rate);
  }

  copyFrom(other: Mlp): void {
    this.assign(other.weights);
  }

  /** @param weights as many as `this.weights` has. */
  assign(weights: Float32Array): void {
    this.weights.set(weights);
    this.version += 1;
  }

  private descend(from: number, to: number, samples: number, rate: number): void {
    const { weights, gradient, mean, variance } = this;
    for (let at = from; at < to; at += 1) {
      const g = gradient[at]! / samples;
      gradient[at] = 0;
      const m = BETA1 * mean[at]! + (1 - BETA1) * g;
      const v = BETA2 * variance[at]! + (1 - BETA2) * g * g;
      mean[at] = m;
      variance[at] = v;
      weights[at]! -= (rate * m) / (Math.sqrt(v) + ADAM_EPSILON);
    }
  }
}
