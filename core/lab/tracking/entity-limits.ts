import { SluiceError } from '../../contract';
import type { Dataset, DatasetInput, KeyValue, RunBatch } from './tracking-types';

/** What MLflow's stores take at most (mlflow/utils/validation.py). Lengths in characters. */
const LIMITS = {
  metricsPerBatch: 1000,
  paramsPerBatch: 100,
  tagsPerBatch: 100,
  entitiesPerBatch: 1000,
  datasetsPerCall: 1000,
  key: 250,
  paramValue: 6000,
  tagValue: 8000,
  experimentTagValue: 20_000,
  experimentName: 500,
} as const;

const DATASET_LIMITS: Readonly<Record<keyof Dataset, number>> = {
  name: 500,
  digest: 36,
  sourceType: 250,
  source: 65_535,
  schema: 1_048_575,
  profile: 16_777_215,
};
const INPUT_TAG_LIMITS = { key: 255, value: 500 };

/** Letters and digits of any script, as Python's `\w` takes them. */
const KEY_CHARACTERS = /^[/\p{L}\p{N}_.\- :]*$/u;

/** @throws SluiceError `bad-input` for what is over MLflow's limits or no key. */
export function checkBatch({ metrics, params, tags }: RunBatch): void {
  checkCount('metrics', metrics.length, LIMITS.metricsPerBatch);
  checkCount('params', params.length, LIMITS.paramsPerBatch);
  checkCount('tags', tags.length, LIMITS.tagsPerBatch);
  const entities = metrics.length + params.length + tags.length;
  checkCount('metrics, params and tags', entities, LIMITS.entitiesPerBatch);
  checkMetricKeys(metrics.map(({ key }) => key));
  params.forEach((param, index) => checkParam(param, `params[${index}]`));
  tags.forEach((tag, index) => checkTag(tag, `tags[${index}]`));
  checkEachOnce(params);
}

/** A batch holds few keys many times over. */
function checkMetricKeys(keys: readonly string[]): void {
  for (const key of new Set(keys)) {
    if (isKey(key)) continue;
    checkKey(key, `metrics[${keys.indexOf(key)}].key`);
  }
}

function checkParam({ key, value }: KeyValue, path: string): void {
  checkKey(key, `${path}.key`);
  checkLength(value, `${path}.value (of "${key}")`, LIMITS.paramValue);
}

export function checkTag({ key, value }: KeyValue, path: string): void {
  checkKey(key, `${path}.key`);
  checkLength(value, `${path}.value (of "${key}")`, LIMITS.tagValue);
}

export function checkExperimentTag({ key, value }: KeyValue, path: string): void {
  checkKey(key, `${path}.key`);
  checkLength(value, `${path}.value (of "${key}")`, LIMITS.experimentTagValue);
}

export function checkExperimentName(name: string): void {
  if (name.trim() === '') throw badInput('name: expected the name of an experiment, found an empty text.');
  checkLength(name, 'name', LIMITS.experimentName);
}

/** Names become parts of artifact paths. */
export function checkModelName(name: string): void {
  const found = /[/:.%"']/.exec(name);
  if (!found) return;
  throw badInput(
    `name: expected the name of a model without / : . % " and ', found ${JSON.stringify(name)}.`,
  );
}

export function checkDatasets(inputs: readonly DatasetInput[]): void {
  checkCount('datasets', inputs.length, LIMITS.datasetsPerCall);
  inputs.forEach(({ dataset, tags }, index) => {
    const path = `datasets[${index}]`;
    for (const [field, most] of Object.entries(DATASET_LIMITS) as [keyof Dataset, number][]) {
      checkLength(dataset[field] ?? '', `${path}.dataset.${field}`, most);
    }
    tags.forEach((tag, position) => {
      checkLength(tag.key, `${path}.tags[${position}].key`, INPUT_TAG_LIMITS.key);
      checkLength(tag.value, `${path}.tags[${position}].value`, INPUT_TAG_LIMITS.value);
    });
  });
}

function checkCount(what: string, found: number, most: number): void {
  if (found <= most) return;
  throw badInput(`Expected at most ${most} ${what} in one call, found ${found}. Send them in several.`);
}

function checkKey(key: string, path: string): void {
  checkLength(key, path, LIMITS.key);
  if (isKey(key)) return;
  throw badInput(
    `${path}: expected letters, digits and _ - . : / or spaces, and no empty, "." or ".." part between slashes; ` +
      `found ${JSON.stringify(key)}.`,
  );
}

/** Clients keep artifacts under keys: as a path, a key has to be itself. */
function isKey(key: string): boolean {
  if (key.length > LIMITS.key || key.startsWith('..') || !KEY_CHARACTERS.test(key)) return false;
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function checkLength(text: string, path: string, most: number): void {
  // The cheap bound first: code points are never more than code units.
  if (text.length <= most || Array.from(text).length <= most) return;
  throw badInput(`${path}: expected at most ${most} characters, found ${Array.from(text).length}.`);
}

function checkEachOnce(params: readonly KeyValue[]): void {
  const seen = new Set<string>();
  const twice = params.filter(({ key }) => seen.size === seen.add(key).size);
  if (twice.length === 0) return;
  const keys = [...new Set(twice.map(({ key }) => `"${key}"`))].join(', ');
  throw badInput(`params: expected each key once, found ${keys} more than once.`);
}

export function badInput(message: string): SluiceError {
  return new SluiceError('bad-input', message);
}
