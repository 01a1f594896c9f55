// A training program as the lab starts it: fits a line to noisy points by gradient descent, and logs as it goes.
// Usage: train.mjs --lr 0.05 [--resource EPOCHS]
import { pathToFileURL } from 'node:url';

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const rate = argument('lr', 0.05);
const epochs = argument('resource', 20);

// Outside of this repository: import { startRun } from 'sluice/lab'
const { startRun } = await import(pathToFileURL(process.env.SLUICE_CLIENT).href);
const run = await startRun();
run.logParams({ lr: rate, epochs });

const points = Array.from({ length: 50 }, (_none, index) => ({
  x: index / 50,
  y: 3 * (index / 50) + 1 + 0.1 * Math.sin(index * 7),
}));
let slope = 0;
let offset = 0;
for (let epoch = 1; epoch <= epochs; epoch += 1) {
  let loss = 0;
  for (const { x, y } of points) {
    const error = slope * x + offset - y;
    loss += error ** 2 / points.length;
    slope -= rate * error * x;
    offset -= rate * error;
  }
  run.logMetrics({ loss }, epoch);
}
console.log(`y = ${slope.toFixed(2)} x + ${offset.toFixed(2)}`);
await run.logArtifact('checkpoints/line.json', JSON.stringify({ slope, offset }));
await run.end();
