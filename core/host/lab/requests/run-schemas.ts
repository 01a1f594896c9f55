import { isAbsolute } from 'node:path';

import { z } from 'zod';

import type { LabRunRequests, LabStatusRequests, RequestInput } from '../../../contract';

const MOST_SERIES = 100;
const MOST_POINTS = 2500;
const MOST_ARTIFACT_BYTES = 64 * 2 ** 20;
const LONGEST_WAIT_MS = 30_000;
const LONGEST_GRACE_MS = 3_600_000;
const MOST_REMOVED = 10_000;

const nothing = z.strictObject({});
/** `user/dataset/N`, or a run id. */
const run = z.string().min(1).max(300);
const runId = z.string().regex(/^[0-9a-f]{32}$/, 'expected the id of a run: 32 hexadecimal digits');
const artifactPath = z.string().max(1024);
const folder = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => isAbsolute(value) && !value.includes('\0'), 'expected an absolute path');

const plan = {
  args: z.string().max(100_000).exactOptional(),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name of letters, digits and _'),
      z.string().max(100_000),
    )
    .exactOptional(),
  resources: z
    .strictObject({
      cpus: z.number().positive().max(10_000).exactOptional(),
      gpus: z.number().int().nonnegative().max(10_000).exactOptional(),
      memoryBytes: z.number().int().positive().exactOptional(),
    })
    .exactOptional(),
  engine: z.string().min(1).max(100).exactOptional(),
  image: z.string().min(1).max(500).exactOptional(),
  priority: z.number().int().min(-100).max(100).exactOptional(),
  limitMs: z.number().positive().exactOptional(),
};

export const LAB_STATUS_SCHEMAS: {
  readonly [N in keyof LabStatusRequests]: z.ZodType<RequestInput<N>>;
} = {
  'lab.status': nothing,
  'lab.start': nothing,
};

export const LAB_RUN_SCHEMAS: { readonly [N in keyof LabRunRequests]: z.ZodType<RequestInput<N>> } = {
  'lab.runs': z.strictObject({ since: z.string().max(100).exactOptional() }),
  'lab.findRuns': z.strictObject({ filter: z.string().max(4000) }),
  'lab.run': z.strictObject({ run }),
  'lab.series': z
    .strictObject({
      runIds: z.array(runId).min(1).max(MOST_SERIES),
      key: z.string().min(1).max(300),
      points: z.number().int().min(1).max(MOST_POINTS),
      fromStep: z.number().exactOptional(),
      toStep: z.number().exactOptional(),
    })
    .refine(({ fromStep, toStep }) => (fromStep === undefined) === (toStep === undefined), {
      path: ['toStep'],
      message: 'expected both fromStep and toStep, or none',
    }),
  'lab.log': z.strictObject({
    run,
    offset: z.number().int(),
    waitMs: z.number().min(0).max(LONGEST_WAIT_MS).exactOptional(),
  }),
  'lab.artifacts': z.strictObject({ run, path: artifactPath }),
  'lab.artifact': z.strictObject({
    run,
    path: artifactPath.min(1),
    mostBytes: z.number().int().min(0).max(MOST_ARTIFACT_BYTES),
  }),
  'lab.diff': z.strictObject({ from: run, to: run }),
  'lab.launch': z.strictObject({
    ...plan,
    folder,
    entry: z.string().min(1).max(1000),
    dataset: z.string().min(1).max(300).exactOptional(),
  }),
  'lab.fork': z.strictObject({ ...plan, run, checkpoint: z.string().min(1).max(1000).exactOptional() }),
  'lab.stop': z.strictObject({ run, graceMs: z.number().min(0).max(LONGEST_GRACE_MS).exactOptional() }),
  'lab.resume': z.strictObject({ run }),
  'lab.remove': z.strictObject({ runs: z.array(run).min(1).max(MOST_REMOVED) }),
};
