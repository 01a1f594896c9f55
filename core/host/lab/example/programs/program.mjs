import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import { LabRun, readArguments, readCheckpoint } from './lab-run.mjs';
import { Network } from './network.mjs';
import { onnxFile } from './onnx-file.mjs';
import { seeded, shuffled } from './random.mjs';

const { env, argv } = process;
const DATA = env.SLUICE_DATASET ?? 'data';
/** Of the training rows; the others say how good it is. */
const TRAINING_SHARE = 0.8;
const COMMON = { epochs: 20, seed: 1, momentum: 0.9, batch: 16, save: 5, pace: 0 };

/**
 * What the programs here have in common: to train and log, to go on from a checkpoint, and with `--predict` to answer a
 * submission. `--pace MS` rests after each epoch, so that its curve can be watched.
 */
export async function main(task) {
  if (argv.includes('--predict')) predict(task);
  else await train(task);
}

async function train(task) {
  const options = readArguments({ ...COMMON, ...task.defaults });
  const run = new LabRun();
  const { model, epoch: before } = startOf(task, options);
  const samples = task.samples(DATA, model);
  const split = Math.floor(samples.length * TRAINING_SHARE);
  const [training, validation] = [samples.slice(0, split), samples.slice(split)];
  await run.logParams({ ...options, model: task.name, inputs: model.network.layers[0].inputs });
  const every = Number(env.SLUICE_CHECKPOINT_EVERY ?? options.save);
  for (let epoch = before + 1; epoch <= options.epochs; epoch += 1) {
    // By the epoch: a run that goes on from a checkpoint sees what it would have seen.
    const order = shuffled(training, seeded(options.seed * 1000 + epoch));
    model.network.trainEpoch(order, task.gradientOf, options);
    const isLast = epoch === options.epochs;
    // Before the metric: whoever goes on from here may do so as soon as that is known.
    if (isLast || epoch % every === 0) {
      await run.saveArtifact(`checkpoints/${epoch}.json`, JSON.stringify(saved(model, epoch)));
    }
    const metrics = { loss: task.lossOf(model, training), ...task.metricsOf(model, validation) };
    if (isLast) await saveModel(task, run, model);
    await run.logMetrics(metrics, epoch);
    console.log(`epoch ${epoch}: ${Object.entries(metrics).map(textOf).join(', ')}`);
    if (options.pace > 0) await pause(options.pace);
  }
}

async function saveModel(task, run, model) {
  await run.saveArtifact('model/model.onnx', onnxFile(model, task.names));
  await run.saveArtifact('model/about.json', JSON.stringify(task.about(model)));
}

function startOf(task, options) {
  const checkpoint = readCheckpoint();
  if (!checkpoint) {
    const { sizes, ...model } = task.begin(DATA, options);
    return { model: { ...model, network: Network.seeded(sizes, seeded(options.seed)) }, epoch: 0 };
  }
  const { epoch, ...kept } = checkpoint;
  console.log(`goes on after epoch ${epoch}, with the network that it has`);
  return { model: { ...kept, network: Network.loaded(kept.network) }, epoch };
}

function saved({ network, ...model }, epoch) {
  return { epoch, ...model, network: network.saved() };
}

function predict(task) {
  const { network, ...kept } = readCheckpoint();
  const model = { ...kept, network: Network.loaded(network) };
  const only = env.SLUICE_ONLY_IDS && new Set(JSON.parse(env.SLUICE_ONLY_IDS));
  const rows = task.testRows(env.SLUICE_TEST).filter(({ id }) => !only || only.has(id));
  const predictions = rows.map((row) => ({ id: row.id, prediction: task.predict(model, row) }));
  writeFileSync(env.SLUICE_PREDICTIONS, task.format(predictions));
}

function textOf([name, value]) {
  return `${name} ${value.toFixed(4)}`;
}
