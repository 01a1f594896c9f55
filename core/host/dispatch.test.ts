import { describe, expect, it } from 'vitest';

import { DEFAULT_LANGUAGE_SETTINGS } from '../contract';
import type { LanguageSettings, RequestInput, RequestName } from '../contract';
import { dispatch } from './dispatch';
import { parseInput } from './schemas';
import type { Services } from './services';

const RUN: RequestInput<'runs.start'> = {
  model: 'm',
  input: { kind: 'random', seed: 1, freeDim: 4 },
  mode: 'async',
  budgetBytes: 1024,
  repeat: 'continuous',
  periodMs: 33.3,
  deadlineMs: 20,
};

/** One whole input of every request: a field the schema forgot would be refused as unknown. */
const WHOLE: { readonly [N in RequestName]: Required<RequestInput<N>> } = {
  'engine.info': {},
  'device.info': {},
  'telemetry.watch': { on: true },
  'models.list': {},
  'models.import': { jobId: 'j', path: '/m.onnx', name: 'm', provider: 'cpu', replace: true },
  'models.importExample': { jobId: 'j' },
  'models.inspect': { name: 'm' },
  'models.verify': { jobId: 'j', name: 'm' },
  'models.remove': { name: 'm' },
  'models.removed': {},
  'models.restore': { name: 'm' },
  'models.discardRemoved': {},
  'jobs.list': {},
  'jobs.cancel': { jobId: 'j' },
  'plan.curve': { model: 'm', mode: 'sync' },
  'plan.at': { model: 'm', mode: 'sequential', budgetBytes: 0 },
  'inputs.examples': {},
  'inputs.image': { input: { kind: 'bytes', name: 'a.png', bytes: new Uint8Array([1]) } },
  'runs.start': RUN as Required<typeof RUN>,
  'runs.stop': { runId: 'r' },
  'runs.list': {},
  'runs.trace': { runId: 'r' },
  'runs.exportTrace': { runId: 'r' },
  'budget.get': {},
  'budget.set': { limitBytes: 0 },
  'endpoints.list': {},
  'endpoints.add': { name: 'e', tier: 'edge', url: 'http://127.0.0.1:8000', token: 't' },
  'endpoints.setToken': { id: 'i', token: 't', kept: true },
  'endpoints.test': { id: 'i' },
  'endpoints.remove': { id: 'i' },
  'endpoints.restore': { id: 'i' },
  'offload.state': {},
  'offload.configure': { users: 3, thresholdPct: 89, agent: 'dqn', periodMs: 0, explorationCap: 0.1 },
  'offload.addVariant': { model: 'm', accuracyPct: 89.9, source: 's' },
  'offload.removeVariant': { id: 'd0' },
  'offload.installExample': { jobId: 'j' },
  'offload.start': {},
  'offload.stop': {},
  'offload.pin': { user: 0, tier: 'device', variant: 'd0' },
  'offload.unpin': { user: 0 },
  'offload.pauseLearning': { paused: true },
  'offload.reset': {},
  'offload.restore': {},
  'offload.decisions': { beforeId: 7, limit: 100 },
  'offload.beliefs': {},
  'offload.curve': {},
  'offload.trace': { decisionId: 7 },
  'offload.export': { what: 'checkpoint' },
  'language.models': {},
  'language.compressors': {},
  'language.import': { jobId: 'j', path: '/m.gguf', name: 'm' },
  'language.pull': { jobId: 'j', repository: 'o/m-1.5', revision: 'refs/pr/1', file: 'a/m.gguf', name: 'm' },
  'language.verify': { jobId: 'j', name: 'm' },
  'language.remove': { name: 'm' },
  'language.conversations': {},
  'language.create': { model: 'm', settings: DEFAULT_LANGUAGE_SETTINGS, system: '' },
  'language.open': { id: 'c' },
  'language.rename': { id: 'c', title: 'About x' },
  'language.delete': { id: 'c' },
  'language.configure': { id: 'c', settings: { ...DEFAULT_LANGUAGE_SETTINGS, draftLength: 63 } },
  'language.send': { id: 'c', text: ' Why?\n' },
  'language.retry': { id: 'c' },
  'language.stop': { id: 'c' },
  'lab.deployments': {},
  'lab.publish': {
    model: 'Digits model',
    version: 3,
    endpointId: 'e',
    sharePct: 12.5,
    variant: { accuracyPct: 91, source: 's' },
  },
  'lab.setCanary': { endpointId: 'e', servedAs: 'digits', sharePct: 0 },
  'lab.rollBack': { endpointId: 'e', servedAs: 'digits' },
  'lab.unpublish': { endpointId: 'e', servedAs: 'digits' },
};

describe('schemas', () => {
  it.each(Object.entries(WHOLE))('%s takes all the contract allows', (name, input) => {
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
    const nobody = { watchTelemetry: () => undefined };
    // A handler that is reached would fail on the missing services.
    const reply = await dispatch({} as Services, nobody, request, input);
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad-input' } });
    expect(reply.ok ? '' : reply.error.message).toMatch(message);
  });
});
