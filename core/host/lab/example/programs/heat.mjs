// How hot a machine will be, in °C, eight minutes after a window of its readings: linear (--hidden 0), or a hidden layer.
import { main } from './program.mjs';
import { csvOf, meanAndDeviation, meanOf, readReadings, scaled, scalerOf } from './readings.mjs';

await main({
  name: 'heat',
  defaults: { hidden: 0, lr: 0.003, decay: 0 },
  names: { input: 'readings', output: 'degrees' },
  about: () => ({ task: 'regression', unit: '°C' }),
  begin(data, { hidden }) {
    const rows = readReadings(data, 'train/readings.csv');
    const scaler = scalerOf(rows);
    const { mean, deviation } = meanAndDeviation(rows.map(({ heat }) => heat));
    const between = hidden > 0 ? [hidden] : [];
    return { sizes: [scaler.mean.length, ...between, 1], scaler, target: { mean, scale: deviation } };
  },
  samples: (data, { scaler, target }) =>
    readReadings(data, 'train/readings.csv').map(({ readings, heat }) => ({
      input: scaled(scaler, readings),
      target: (heat - target.mean) / target.scale,
    })),
  gradientOf: ([found], target) => [found - target],
  lossOf: ({ network }, samples) => meanSquareOf(network, samples),
  metricsOf: ({ network, target }, samples) => ({
    val_rmse: target.scale * Math.sqrt(meanSquareOf(network, samples)),
  }),
  testRows: (folder) => readReadings(folder, 'readings.csv'),
  predict: ({ network, scaler, target }, { readings }) =>
    target.mean + target.scale * network.output(scaled(scaler, readings))[0],
  format: csvOf,
});

function meanSquareOf(network, samples) {
  return meanOf(samples.map(({ input, target }) => (network.output(input)[0] - target) ** 2));
}
