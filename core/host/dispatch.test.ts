import { describe, expect, it } from 'vitest';

import { DEFAULT_LANGUAGE_SETTINGS } from '../contract';
import type { LanguageSettings, RequestName } from '../contract';
import { dispatch } from './dispatch';
import { parseInput } from './schemas';
import type { Services } from './services';
import { PLAIN_CLIENT } from './test-support/plain-client';
import { RUN, WHOLE_INPUTS } from './test-support/whole-inputs';

describe('schemas', () => {
  it.each(Object.entries(WHOLE_INPUTS))('%s takes all the contract allows', (name, input) => {
    expect(parseInput(name as RequestName, input)).toEqual(input);
  });

  it('every optional field may be left out', () => {
    const { model, input, repeat } = RUN;
    expect(() => parseInput('runs.start', { model, input, repeat, mode: 'resident' })).not.toThrow();
    expect(() => parseInput('models.import', { jobId: 'j', path: '/m.onnx' })).not.toThrow();
    expect(() => parseInput('inputs.image', { input: { kind: 'random', seed: 0 } })).not.toThrow();
    expect(() => parseInput('language.pull', { jobId: 'j', repository: 'o/m' })).not.toThrow();
    expect(() => parseInput('language.create', { model: 'm' })).not.toThrow();
  });
});

/** [request, input, what the message must name] */
const BAD: readonly (readonly [string, unknown, RegExp])[] = [
  ['models.delete', {}, /unknown request models\.delete; expected one of engine\.info/],
  ['__proto__', {}, /unknown request/],
  ['toString', {}, /unknown request/],
  ['models.list', undefined, /models\.list: input: .*expected object/],
  ['models.list', null, /expected object/],
  ['models.list', { all: true }, /Unrecognized key: "all"/],
  ['fleet.ask', { box: 'b', request: 'rm', input: {} }, /request: expected the name of a request/],
  ['fleet.add', { url: 'https://b', token: 'two words' }, /token: expected printable/],
  ['fleet.push', { model: 'm', boxes: [] }, /boxes: /],
  ['models.inspect', {}, /name: .*expected string/],
  ['models.inspect', { name: '' }, /name: /],
  ['models.import', { jobId: 'j', path: 'm.onnx' }, /path: expected an absolute path/],
  ['models.import', { jobId: 'j', path: '/m\0.onnx' }, /path: expected an absolute path/],
  ['models.import', { jobId: 7, path: '' }, /jobId: .*path: /],
  ['plan.at', { model: 'm', mode: 'fast', budgetBytes: 1 }, /mode: .*"resident"/],
  ['plan.at', { model: 'm', mode: 'async', budgetBytes: -1 }, /budgetBytes: /],
  ['plan.at', { model: 'm', mode: 'async', budgetBytes: 1.5 }, /budgetBytes: .*int/],
  ['plan.at', { model: 'm', mode: 'async', budgetBytes: NaN }, /budgetBytes: /],
  ['budget.set', { limitBytes: Infinity }, /limitBytes: /],
  ['inputs.image', { input: { kind: 'url', url: 'http://x' } }, /input\.kind: /],
  ['inputs.image', { input: { kind: 'bytes', name: 'x', bytes: 'AA==' } }, /input\.bytes: /],
  ['inputs.image', { input: { kind: 'file', path: '../secret' } }, /absolute path/],
  ['runs.start', { ...RUN, budgetBytes: undefined }, /budgetBytes: /],
  ['runs.start', { ...RUN, repeat: 'once' }, /period or deadline needs repeat "continuous"/],
  ['runs.start', { ...RUN, periodMs: 0 }, /periodMs: /],
  ['runs.start', { ...RUN, periodMs: 1e12 }, /periodMs: /],
  [
    'runs.start',
    { model: 'm', input: RUN.input, mode: 'async', repeat: 'once' },
    /budgetBytes: .*required unless/,
  ],
  ['language.import', { jobId: 'j', path: 'm.gguf' }, /path: expected an absolute path/],
  ['language.pull', { jobId: 'j', repository: 'm' }, /repository: expected OWNER\/NAME/],
  ['language.pull', { jobId: 'j', repository: '../m' }, /repository: expected names, found dots/],
  ['language.pull', { jobId: 'j', repository: 'o/m?x=1' }, /repository: expected names of letters/],
  ['language.pull', { jobId: 'j', repository: 'o/m', file: 'a/../../m.gguf' }, /file: expected names/],
  ['language.pull', { jobId: 'j', repository: 'o/m', file: '/m.gguf' }, /file: expected names/],
  ['language.create', { model: 'm', system: 7 }, /system: /],
  ['language.send', { id: 'c', text: ' \n ' }, /text: expected a question, found nothing/],
  ['language.send', { id: 'c', text: 'a'.repeat((1 << 22) + 1) }, /text: /],
  ['language.rename', { id: 'c', title: '  ' }, /title: /],
  ['lab.runs', { since: 7 }, /since: /],
  ['lab.run', { run: '' }, /run: /],
  ['lab.series', { runIds: [], key: 'loss', points: 10 }, /runIds: /],
  ['lab.series', { runIds: ['ann/none/1'], key: 'loss', points: 10 }, /runIds\.0: expected the id of a run/],
  ['lab.series', { runIds: ['0'.repeat(32)], key: 'loss', points: 2501 }, /points: /],
  ['lab.series', { runIds: ['0'.repeat(32)], key: 'loss', points: 1, fromStep: 1 }, /toStep: expected both/],
  ['lab.log', { run: 'r', offset: 0.5 }, /offset: /],
  ['lab.log', { run: 'r', offset: 0, waitMs: 30_001 }, /waitMs: /],
  ['lab.artifact', { run: 'r', path: '', mostBytes: 1 }, /path: /],
  ['lab.artifact', { run: 'r', path: 'a', mostBytes: 2 ** 40 }, /mostBytes: /],
  ['lab.launch', { folder: 'code', entry: 'a.py' }, /folder: expected an absolute path/],
  ['lab.launch', { folder: '/code' }, /entry: /],
  ['lab.launch', { folder: '/code', entry: 'a.py', environment: { 'a b': '' } }, /environment\.a b: /],
  ['lab.launch', { folder: '/code', entry: 'a.py', priority: 101 }, /priority: /],
  ['lab.launch', { folder: '/code', entry: 'a.py', resources: { cpus: 0 } }, /resources\.cpus: /],
  ['lab.stop', { run: 'r', graceMs: -1 }, /graceMs: /],
  ['lab.remove', { runs: [] }, /runs: /],
  ['lab.datasetFiles', { name: 'mnist', version: 'latest' }, /version: /],
  [
    'lab.pushDataset',
    { jobId: 'j', name: 'mnist', folder: 'data', note: '' },
    /folder: expected an absolute/,
  ],
  ['lab.pushDataset', { jobId: 'j', name: 'mnist', folder: '/data' }, /note: /],
  ['lab.editDataset', { name: 'mnist', visibility: 'public' }, /visibility: /],
  ['lab.editDataset', { name: 'mnist', tags: [''] }, /tags\.0: /],
  ['lab.removeDatasetVersion', { name: 'mnist', version: 0 }, /version: /],
  ['lab.submit', { run: 'r', competition: 'c' }, /isDryRun: /],
  ['lab.registerModel', { run: 'r', path: '', model: 'm', description: '' }, /path: /],
  ['lab.setAlias', { model: 'm', alias: '', version: 1.5 }, /alias: .*version: /],
  ['lab.startSearch', { search: {}, trials: { folder: 'code', entry: 'a' } }, /search: .*trials\.folder: /],
  [
    'lab.narrowSearch',
    { id: 's', brushes: [{ parameter: 'lr', min: 0 }] },
    /brushes\.0: expected \{parameter/,
  ],
  ['lab.narrowSearch', { id: 's', brushes: [{ parameter: 'lr', min: 0, max: NaN }] }, /brushes\.0: expected/],
  ['language.rename', { id: 'c', title: 'a'.repeat(201) }, /title: /],
  ['language.configure', { id: 'c', settings: {} }, /settings\.mode: .*settings\.seed: /],
];

/** [what is wrong with the settings, what the message must name] */
const BAD_SETTINGS: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ mode: 'fast' }, /settings\.mode: .*"full"/],
  [{ compressor: '' }, /settings\.compressor: /],
  [{ ratio: 1 }, /settings\.ratio: .*1\.5/],
  [{ ratio: 65 }, /settings\.ratio: .*64/],
  [{ ratio: NaN }, /settings\.ratio: /],
  [{ budgetBytes: -1 }, /settings\.budgetBytes: /],
  [{ budgetBytes: 0.5 }, /settings\.budgetBytes: /],
  [{ draftLength: 0 }, /settings\.draftLength: /],
  [{ draftLength: 64 }, /settings\.draftLength: /],
  [{ draftLength: 'long' }, /settings\.draftLength: /],
  [{ promptLookup: 1 }, /settings\.promptLookup: /],
  [{ draftModel: 7 }, /settings\.draftModel: /],
  [{ maxTokens: 0 }, /settings\.maxTokens: /],
  [{ maxTokens: Infinity }, /settings\.maxTokens: /],
  [{ temperature: -0.1 }, /settings\.temperature: /],
  [{ topP: 0 }, /settings\.topP: /],
  [{ topP: 1.1 }, /settings\.topP: /],
  [{ minP: -1 }, /settings\.minP: /],
  [{ seed: 2 ** 32 }, /settings\.seed: /],
  [{ seed: -1 }, /settings\.seed: /],
  [{ beams: 4 }, /settings: Unrecognized key: "beams"/],
];

/** Every setting at both ends of what it may be. */
const EDGES: readonly Partial<LanguageSettings>[] = [
  { mode: 'full', ratio: 1.5, draftLength: 1, maxTokens: 1, temperature: 0, topP: 0.01, minP: 0, seed: 0 },
  { mode: 'lossy', ratio: 64, draftLength: 63, temperature: 100, topP: 1, minP: 1, seed: 2 ** 32 - 1 },
];

describe('settings of a conversation', () => {
  it.each(BAD_SETTINGS)('%j are refused', (change, message) => {
    const settings = { ...DEFAULT_LANGUAGE_SETTINGS, ...change };
    expect(() => parseInput('language.configure', { id: 'c', settings })).toThrow(message);
    expect(() => parseInput('language.create', { model: 'm', settings })).toThrow(message);
  });

  it.each(EDGES)('%j are taken', (change) => {
    const settings = { ...DEFAULT_LANGUAGE_SETTINGS, ...change };
    expect(parseInput('language.configure', { id: 'c', settings })).toEqual({ id: 'c', settings });
  });
});

describe('dispatch', () => {
  it.each(BAD)('%s with %j is refused', async (request, input, message) => {
    // A handler that is reached would fail on the missing services.
    const reply = await dispatch({} as Services, PLAIN_CLIENT, request, input);
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad-input' } });
    expect(reply.ok ? '' : reply.error.message).toMatch(message);
  });
});
