// What state a machine is in, by a window of its readings: logistic regression (--hidden 0), or with a hidden layer.
import { main } from './program.mjs';
import { indexOfMost, softmax } from './network.mjs';
import { csvOf, meanOf, readReadings, scaled, scalerOf } from './readings.mjs';

const STATES = ['normal', 'bearing', 'imbalance', 'clogged'];

await main({
  name: 'state',
  defaults: { hidden: 4, lr: 0.01, decay: 0 },
  names: { input: 'readings', output: 'probabilities' },
  about: () => ({ task: 'classification', classes: STATES }),
  begin(data, { hidden }) {
    const scaler = scalerOf(readReadings(data, 'train/readings.csv'));
    const between = hidden > 0 ? [hidden] : [];
    return { sizes: [scaler.mean.length, ...between, STATES.length], scaler, isClasses: true };
  },
  samples: (data, { scaler }) =>
    readReadings(data, 'train/readings.csv').map(({ readings, state }) => ({
      input: scaled(scaler, readings),
      target: STATES.indexOf(state),
    })),
  gradientOf: (logits, target) => softmax(logits).map((share, at) => share - (at === target ? 1 : 0)),
  lossOf: ({ network }, samples) =>
    meanOf(samples.map(({ input, target }) => -Math.log(softmax(network.output(input))[target] + 1e-9))),
  metricsOf: ({ network }, samples) => ({
    val_accuracy: meanOf(
      samples.map(({ input, target }) => (indexOfMost(network.output(input)) === target ? 1 : 0)),
    ),
  }),
  testRows: (folder) => readReadings(folder, 'readings.csv'),
  predict: ({ network, scaler }, { readings }) =>
    STATES[indexOfMost(network.output(scaled(scaler, readings)))],
  format: csvOf,
});
