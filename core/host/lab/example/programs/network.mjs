import { gaussian } from './random.mjs';

/**
 * A network of dense layers, ReLU between them, trained by gradient descent with momentum. Without hidden units it is a
 * linear model, or with softmax behind it logistic regression.
 */
export class Network {
  /** @param layers each `{inputs, outputs, weights, biases}`; weights row-major, `[inputs, outputs]`. */
  constructor(layers) {
    this.layers = layers;
    this.velocities = layers.map(({ weights, biases }) => [like(weights), like(biases)]);
  }

  /** @param sizes of inputs, hidden layers, outputs. */
  static seeded(sizes, random) {
    return new Network(
      sizes.slice(1).map((outputs, at) => {
        const inputs = sizes[at];
        const deviation = Math.sqrt(2 / inputs);
        const weights = Float32Array.from({ length: inputs * outputs }, () => gaussian(random) * deviation);
        return { inputs, outputs, weights, biases: new Float32Array(outputs) };
      }),
    );
  }

  /** What comes out of each layer, the input first. */
  activations(input) {
    const all = [input];
    for (const [at, layer] of this.layers.entries()) {
      all.push(outputOf(layer, all[at], at < this.layers.length - 1));
    }
    return all;
  }

  output(input) {
    return this.activations(input).at(-1);
  }

  /**
   * One pass over the samples in the order given.
   * @param gradientOf what the loss of a sample changes with each output. @param options `{lr, momentum, decay, batch}`
   */
  trainEpoch(samples, gradientOf, { lr, momentum, decay, batch }) {
    const gradients = this.layers.map(({ weights, biases }) => [like(weights), like(biases)]);
    for (let from = 0; from < samples.length; from += batch) {
      const part = samples.slice(from, from + batch);
      for (const [weights, biases] of gradients) {
        weights.fill(0);
        biases.fill(0);
      }
      for (const { input, target } of part) this.addGradients(gradients, input, target, gradientOf);
      for (const [at, { weights, biases }] of this.layers.entries()) {
        const rate = lr / part.length;
        step(weights, gradients[at][0], this.velocities[at][0], rate, momentum, lr * decay);
        step(biases, gradients[at][1], this.velocities[at][1], rate, momentum, 0);
      }
    }
  }

  addGradients(gradients, input, target, gradientOf) {
    const activations = this.activations(input);
    let above = gradientOf(activations.at(-1), target);
    for (let at = this.layers.length - 1; at >= 0; at -= 1) {
      const { inputs, outputs, weights } = this.layers[at];
      const before = activations[at];
      const [ofWeights, ofBiases] = gradients[at];
      const below = new Float32Array(inputs);
      for (let out = 0; out < outputs; out += 1) ofBiases[out] += above[out];
      for (let i = 0; i < inputs; i += 1) {
        // Also ReLU's gradient: what let nothing through learns nothing.
        if (before[i] === 0) continue;
        const row = i * outputs;
        let sum = 0;
        for (let out = 0; out < outputs; out += 1) {
          ofWeights[row + out] += before[i] * above[out];
          sum += weights[row + out] * above[out];
        }
        below[i] = sum;
      }
      above = below;
    }
  }

  /** As JSON; nothing is rounded. */
  saved() {
    return this.layers.map(({ inputs, outputs, weights, biases }, at) => ({
      inputs,
      outputs,
      weights: textOf(weights),
      biases: textOf(biases),
      velocities: this.velocities[at].map(textOf),
    }));
  }

  static loaded(saved) {
    const network = new Network(
      saved.map(({ inputs, outputs, weights, biases }) => ({
        inputs,
        outputs,
        weights: floatsOf(weights),
        biases: floatsOf(biases),
      })),
    );
    network.velocities = saved.map(({ velocities }) => velocities.map(floatsOf));
    return network;
  }
}

export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export function indexOfMost(values) {
  return values.indexOf(Math.max(...values));
}

function outputOf({ inputs, outputs, weights, biases }, input, isHidden) {
  const result = Float32Array.from(biases);
  for (let i = 0; i < inputs; i += 1) {
    if (input[i] === 0) continue;
    const row = i * outputs;
    for (let out = 0; out < outputs; out += 1) result[out] += input[i] * weights[row + out];
  }
  if (isHidden) for (let out = 0; out < outputs; out += 1) result[out] = Math.max(0, result[out]);
  return result;
}

function step(values, gradients, velocities, rate, momentum, decay) {
  for (let at = 0; at < values.length; at += 1) {
    velocities[at] = momentum * velocities[at] - rate * gradients[at] - decay * values[at];
    values[at] += velocities[at];
  }
}

const like = ({ length }) => new Float32Array(length);
const textOf = (floats) =>
  Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64');

function floatsOf(text) {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
