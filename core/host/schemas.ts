import { isAbsolute } from 'node:path';

import { z } from 'zod';

import { checkInput, PIPELINE_MODES, TIER_NAMES } from '../contract';
import type {
  FleetRequests,
  LanguageRequests,
  OffloadRequests,
  RequestInput,
  RequestName,
} from '../contract';
import { LAB_DEPLOYMENT_SCHEMAS } from './lab/requests/deployment-schemas';
import { LAB_RUN_SCHEMAS, LAB_STATUS_SCHEMAS } from './lab/requests/run-schemas';
import { LAB_SHELF_SCHEMAS } from './lab/requests/shelf-schemas';
import { languageSettingsSchema } from './language/conversations/settings-schema';
import { MAX_PERIOD_MS, MAX_USERS } from './offload/deployment-store';

/** A day: longer periods and deadlines are mistakes of units. */
const MAX_MS = 86_400_000;
const MAX_DECISIONS = 1000;

const nothing = z.strictObject({});
const text = z.string().min(1).max(200);
const path = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => isAbsolute(value) && !value.includes('\0'), 'expected an absolute path');
const bytes = z.number().int().nonnegative();
const mode = z.enum(PIPELINE_MODES);
const milliseconds = z.number().positive().max(MAX_MS);

const runInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('example'), id: text }),
  z.strictObject({ kind: z.literal('file'), path }),
  z.strictObject({ kind: z.literal('bytes'), name: text, bytes: z.instanceof(Uint8Array) }),
  z.strictObject({
    kind: z.literal('random'),
    seed: z.number().int().nonnegative().max(0xffff_ffff),
    freeDim: z.number().int().min(1).max(65_536).exactOptional(),
  }),
]);

const runRequest = z
  .strictObject({
    model: text,
    input: runInput,
    mode,
    budgetBytes: bytes.exactOptional(),
    repeat: z.enum(['once', 'continuous']),
    periodMs: milliseconds.exactOptional(),
    deadlineMs: milliseconds.exactOptional(),
  })
  .refine((run) => run.mode === 'resident' || run.budgetBytes !== undefined, {
    path: ['budgetBytes'],
    message: 'expected a number of bytes: required unless mode is "resident"',
  })
  .refine((run) => run.repeat === 'continuous' || (run.periodMs ?? run.deadlineMs) === undefined, {
    path: ['periodMs'],
    message: 'a period or deadline needs repeat "continuous"',
  });

const remoteTier = z.enum(['edge', 'cloud']);
const percent = z.number().min(0).max(100);
const count = z.number().int().nonnegative();
/** Becomes an HTTP header: no control characters, no spaces. */
const token = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x21-\x7e]+$/, 'expected printable characters without spaces');

const OFFLOAD_SCHEMAS: { readonly [N in keyof OffloadRequests]: z.ZodType<RequestInput<N>> } = {
  'endpoints.list': nothing,
  'endpoints.add': z.strictObject({
    name: text,
    tier: remoteTier,
    url: z.string().min(1).max(2048),
    token: token.exactOptional(),
  }),
  'endpoints.setToken': z.strictObject({ id: text, token: token.exactOptional(), kept: z.boolean() }),
  'endpoints.test': z.strictObject({ id: text }),
  'endpoints.remove': z.strictObject({ id: text }),
  'endpoints.restore': z.strictObject({ id: text }),
  'offload.state': nothing,
  'offload.configure': z.strictObject({
    users: z.number().int().min(1).max(MAX_USERS).exactOptional(),
    thresholdPct: percent.exactOptional(),
    agent: text.exactOptional(),
    periodMs: z.number().nonnegative().max(MAX_PERIOD_MS).exactOptional(),
    explorationCap: z.number().min(0).max(1).exactOptional(),
  }),
  'offload.addVariant': z.strictObject({
    model: text,
    accuracyPct: percent,
    source: z.string().min(1).max(1000),
  }),
  'offload.removeVariant': z.strictObject({ id: text }),
  'offload.installExample': z.strictObject({ jobId: text }),
  'offload.start': nothing,
  'offload.stop': nothing,
  'offload.pin': z.strictObject({ user: count, tier: z.enum(TIER_NAMES), variant: text }),
  'offload.unpin': z.strictObject({ user: count }),
  'offload.pauseLearning': z.strictObject({ paused: z.boolean() }),
  'offload.reset': nothing,
  'offload.restore': nothing,
  'offload.decisions': z.strictObject({
    beforeId: count.exactOptional(),
    limit: z.number().int().min(1).max(MAX_DECISIONS),
  }),
  'offload.beliefs': nothing,
  'offload.curve': nothing,
  'offload.trace': z.strictObject({ decisionId: count }),
  'offload.export': z.strictObject({ what: z.enum(['decisions', 'checkpoint']) }),
};

/** More than the context of any model in use can take in. */
const MAX_MESSAGE_LETTERS = 1 << 22;
const conversation = z.strictObject({ id: text });
/** Part of a hub's address: no step up or aside. */
const hubPath = z
  .string()
  .max(1024)
  .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'expected names of letters, digits, dots and dashes, with slashes between')
  .refine((value) => !value.split('/').some((name) => /^\.+$/.test(name)), 'expected names, found dots');

const LANGUAGE_SCHEMAS: { readonly [N in keyof LanguageRequests]: z.ZodType<RequestInput<N>> } = {
  'language.models': nothing,
  'language.compressors': nothing,
  'language.import': z.strictObject({ jobId: text, path, name: text.exactOptional() }),
  'language.pull': z.strictObject({
    jobId: text,
    repository: hubPath.max(200).regex(/^[^/]+\/[^/]+$/, 'expected OWNER/NAME'),
    revision: hubPath.exactOptional(),
    file: hubPath.exactOptional(),
    name: text.exactOptional(),
  }),
  'language.verify': z.strictObject({ jobId: text, name: text }),
  'language.remove': z.strictObject({ name: text }),
  'language.conversations': nothing,
  'language.create': z.strictObject({
    model: text,
    settings: languageSettingsSchema.exactOptional(),
    system: z.string().max(MAX_MESSAGE_LETTERS).exactOptional(),
  }),
  'language.open': conversation,
  'language.rename': z.strictObject({ id: text, title: z.string().trim().min(1).max(200) }),
  'language.delete': conversation,
  'language.configure': z.strictObject({ id: text, settings: languageSettingsSchema }),
  'language.send': z.strictObject({
    id: text,
    text: z
      .string()
      .max(MAX_MESSAGE_LETTERS)
      .refine((value) => value.trim() !== '', 'expected a question, found nothing'),
  }),
  'language.retry': conversation,
  'language.stop': conversation,
};

const box = z.strictObject({ box: text });
const fingerprint = z.string().min(1).max(200);

const FLEET_SCHEMAS: { readonly [N in keyof FleetRequests | 'fleet.ask']: z.ZodType<RequestInput<N>> } = {
  'fleet.list': nothing,
  'fleet.add': z.strictObject({
    name: text.exactOptional(),
    url: z.string().min(1).max(2048),
    token: token.exactOptional(),
    certificateFingerprint: fingerprint.exactOptional(),
  }),
  'fleet.retry': z.strictObject({
    box: text,
    token: token.exactOptional(),
    certificateFingerprint: fingerprint.exactOptional(),
  }),
  'fleet.rename': z.strictObject({ box: text, name: text }),
  'fleet.remove': box,
  'fleet.ask': z.strictObject({
    box: text,
    request: z.custom<RequestName>(isRequestName, 'expected the name of a request'),
    // Checked by the box.
    input: z.unknown(),
  }),
  'fleet.follow': z.strictObject({ box: text, on: z.boolean() }),
  'fleet.sendFile': z.strictObject({ jobId: text, box: text, path }),
  'fleet.push': z.strictObject({
    model: text,
    boxes: z.array(text).min(1).max(1000),
    keepSource: z.boolean().exactOptional(),
  }),
  'fleet.pushes': nothing,
  'fleet.cancelPush': z.strictObject({ push: text }),
  'fleet.retryPush': z.strictObject({ push: text }),
};

/** A page compares a few; beyond it tables don't fit any paper. */
const MAX_COMPARED = 12;
const reportSubject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), run: text }),
  z.strictObject({ kind: z.literal('runs'), from: text, to: text }),
  z.strictObject({ kind: z.literal('labRun'), run: text }),
  z.strictObject({ kind: z.literal('labRuns'), runs: z.array(text).min(2).max(MAX_COMPARED) }),
]);

/** What each request may carry; anything else is refused before a handler sees it. */
const INPUT_SCHEMAS: { readonly [N in RequestName]: z.ZodType<RequestInput<N>> } = {
  'engine.info': nothing,
  'device.info': nothing,
  'telemetry.watch': z.strictObject({ on: z.boolean() }),
  'models.list': nothing,
  'models.import': z.strictObject({
    jobId: text,
    path,
    name: text.exactOptional(),
    provider: text.exactOptional(),
    replace: z.boolean().exactOptional(),
    keepSource: z.boolean().exactOptional(),
  }),
  'models.importExample': z.strictObject({ jobId: text }),
  'models.inspect': z.strictObject({ name: text }),
  'models.verify': z.strictObject({ jobId: text, name: text }),
  'models.remove': z.strictObject({ name: text }),
  'models.removed': nothing,
  'models.restore': z.strictObject({ name: text }),
  'models.discardRemoved': nothing,
  'jobs.list': nothing,
  'jobs.cancel': z.strictObject({ jobId: text }),
  'plan.curve': z.strictObject({ model: text, mode }),
  'plan.at': z.strictObject({ model: text, mode, budgetBytes: bytes }),
  'inputs.examples': nothing,
  'inputs.image': z.strictObject({ input: runInput }),
  'runs.start': runRequest,
  'runs.stop': z.strictObject({ runId: text }),
  'runs.list': nothing,
  'runs.trace': z.strictObject({ runId: text }),
  'runs.exportTrace': z.strictObject({ runId: text }),
  'report.make': z.strictObject({ what: reportSubject }),
  'budget.get': nothing,
  'budget.set': z.strictObject({ limitBytes: bytes }),
  ...OFFLOAD_SCHEMAS,
  ...LANGUAGE_SCHEMAS,
  ...LAB_STATUS_SCHEMAS,
  ...LAB_SHELF_SCHEMAS,
  ...LAB_RUN_SCHEMAS,
  ...LAB_DEPLOYMENT_SCHEMAS,
  'lab.startExample': nothing,
  ...FLEET_SCHEMAS,
};

export function isRequestName(name: unknown): name is RequestName {
  return typeof name === 'string' && Object.hasOwn(INPUT_SCHEMAS, name);
}

/** @throws SluiceError `bad-input` that lists every fault with its path. */
export function parseInput<N extends RequestName>(name: N, input: unknown): RequestInput<N> {
  return checkInput(name, INPUT_SCHEMAS[name], input);
}
