/** Uploads its arguments NAME=TEXT as checkpoints as MLflow's clients do; with `--predict` it answers x modulo 3. */
export const MODEL_PROGRAM = `
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { env, argv } = process;
if (argv.includes('--predict')) predict();
else await train();

function predict() {
  const { wrong, isBroken } = JSON.parse(readFileSync(env.SLUICE_CHECKPOINT, 'utf8'));
  if (isBroken) {
    console.error('no such layer');
    process.exit(3);
  }
  const only = env.SLUICE_ONLY_IDS && JSON.parse(env.SLUICE_ONLY_IDS);
  const rows = readFileSync(join(env.SLUICE_TEST, 'inputs.csv'), 'utf8').trim().split('\\n').slice(1);
  const lines = rows
    .map((line) => line.split(','))
    .filter(([id]) => !only || only.includes(id))
    .map(([id, x], at) => id + ',' + (at < wrong ? 'none' : x % 3));
  writeFileSync(env.SLUICE_PREDICTIONS, ['id,prediction', ...lines].join('\\n'));
}

async function train() {
  const root = env.MLFLOW_TRACKING_URI;
  const answer = await fetch(root + '/api/2.0/mlflow/runs/get?run_id=' + env.MLFLOW_RUN_ID);
  const { run } = await answer.json();
  const path = run.info.artifact_uri.replace('mlflow-artifacts:/', '');
  for (const argument of argv.slice(2)) {
    const [name, text] = argument.split('=');
    const url = root + '/api/2.0/mlflow-artifacts/artifacts/' + path + '/checkpoints/' + name;
    const sent = await fetch(url, { method: 'PUT', body: text });
    if (!sent.ok) throw new Error(await sent.text());
  }
}
`;

/** Scores by the share of rows that are right; of a table that is no CSV it says so. */
export const SCORE_PROGRAM = `
import { readFileSync, writeFileSync } from 'node:fs';

const { env } = process;
const rowsOf = (file) => readFileSync(file, 'utf8').trim().split('\\n').slice(1).map((line) => line.split(','));
const answers = new Map(rowsOf(env.SLUICE_ANSWERS));
const predictions = rowsOf(env.SLUICE_PREDICTIONS);
console.log([...answers.values()].join());
if (predictions.some(([, value]) => value === 'none')) writeFileSync(env.SLUICE_FAULT, 'none is no number');
else writeFileSync(env.SLUICE_SCORE, String(predictions.filter(([id, value]) => answers.get(id) === value).length));
`;

/**
 * Searches its environment, folders and other processes for a text, and asks the lab for the hidden part as its owner;
 * prints what it found as JSON, and then predicts as \`MODEL_PROGRAM\` does.
 * @param secret in two halves: the program must not find itself.
 */
export function spyProgram(
  secret: readonly [string, string],
  folders: readonly string[],
  hiddenUrl: string,
): string {
  return `
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const secret = ${JSON.stringify(secret)}.join('');
const found = [];
let files = 0;
const look = (where, text) => text.includes(secret) && found.push(where);
const read = (path) => {
  try {
    look(path, readFileSync(path, 'latin1'));
    files += 1;
  } catch {
    // It may not be read, as it should be.
  }
};
const walk = (path) => {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) walk(join(path, entry.name));
    else if (entry.isFile()) read(join(path, entry.name));
  }
};
/** Its own folder, those of other submissions beside it, and other processes. */
function searchAround() {
  walk(dirname(process.cwd()));
  walk(dirname(dirname(process.cwd())));
  for (const name of readdirSync('/proc')) if (/^\\d+$/.test(name)) read('/proc/' + name + '/environ');
}

if (process.argv.includes('--predict')) {
  look('environment', JSON.stringify(process.env));
  for (const folder of ${JSON.stringify(folders)}) walk(folder);
  const elsewhere = files;
  if (process.env.SLUICE_PREDICTIONS) searchAround();
  const answer = await fetch(${JSON.stringify(hiddenUrl)}, { headers: { 'x-sluice-user': 'host' } }).then(
    (response) => response.status,
    () => 'unreachable',
  );
  console.log('SPY ' + JSON.stringify({ uid: process.getuid(), found, elsewhere, answer }));
}
if (process.env.SLUICE_PREDICTIONS || process.env.MLFLOW_RUN_ID) await import('./model.mjs');
`;
}
