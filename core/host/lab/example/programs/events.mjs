// What a box logs next, by the last --context events: a neural n-gram model (Bengio et al. 2003).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { main } from './program.mjs';
import { indexOfMost, softmax } from './network.mjs';
import { meanOf } from './readings.mjs';

const EVENTS = ['sense', 'pack', 'send', 'ack', 'fail', 'retry', 'sleep'];
/** So many are to be predicted of each log. */
const AHEAD = 8;

await main({
  name: 'events',
  defaults: { hidden: 16, context: 3, lr: 0.02, decay: 0, batch: 32, epochs: 8, save: 2 },
  names: { input: 'context', output: 'probabilities' },
  about: ({ context }) => ({ task: 'sequence', events: EVENTS, context }),
  begin: (_data, { hidden, context }) => ({
    sizes: [context * EVENTS.length, hidden, EVENTS.length],
    context,
    isClasses: true,
  }),
  samples: (data, { context }) =>
    readLogs(data, 'train/events.jsonl').flatMap(({ events }) =>
      events.map((event, at) => ({
        input: inputOf(events.slice(0, at), context),
        target: EVENTS.indexOf(event),
      })),
    ),
  gradientOf: (logits, target) => softmax(logits).map((share, at) => share - (at === target ? 1 : 0)),
  lossOf: ({ network }, samples) =>
    meanOf(samples.map(({ input, target }) => -Math.log(softmax(network.output(input))[target] + 1e-9))),
  metricsOf: ({ network }, samples) => ({
    val_token_accuracy: meanOf(
      samples.map(({ input, target }) => (indexOfMost(network.output(input)) === target ? 1 : 0)),
    ),
  }),
  testRows: (folder) => readLogs(folder, 'events.jsonl'),
  predict({ network, context }, { events }) {
    const log = [...events];
    for (let ahead = 0; ahead < AHEAD; ahead += 1) {
      log.push(EVENTS[indexOfMost(network.output(inputOf(log, context)))]);
    }
    return log.slice(events.length);
  },
  format: (predictions) => predictions.map((one) => `${JSON.stringify(one)}\n`).join(''),
});

function readLogs(folder, name) {
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** The last events, one of `EVENTS.length` set for each; nothing where the log had not begun. */
function inputOf(log, context) {
  const input = new Float32Array(context * EVENTS.length);
  for (const [back, event] of log.slice(-context).reverse().entries()) {
    input[back * EVENTS.length + EVENTS.indexOf(event)] = 1;
  }
  return input;
}
