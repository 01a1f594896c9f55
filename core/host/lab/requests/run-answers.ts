import { z } from 'zod';

import type { LabArtifact, LabRunDetail, LabRunDifference, LabRunRow, LabSeries } from '../../../contract';

/** What the lab answers about runs, as the console gets it. */

/** JSON has no number for NaN and the infinities. */
const double = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]);
const text = z.string().exactOptional();
const number = z.number().exactOptional();
const state = z.enum([
  'preparing',
  'queued',
  'running',
  'stopping',
  'succeeded',
  'failed',
  'stopped',
  'lost',
  'logged',
]);

const row = {
  runId: z.string(),
  name: z.string(),
  user: z.string(),
  experiment: z.string(),
  state,
  isLaunched: z.boolean(),
  createdMs: z.number(),
  startedMs: number,
  endedMs: number,
  program: text,
  dataset: text,
  parent: text,
  search: text,
  engine: text,
  node: text,
  attempt: number,
  position: number,
  reason: text,
  exitCode: number,
  signal: text,
  idleSinceMs: number,
  params: z.record(z.string(), z.string()),
  metrics: z.record(z.string(), double),
  tags: z.record(z.string(), z.string()),
};

export const rowSchema: z.ZodType<LabRunRow> = z.object(row);

export const changesSchema = z.object({
  revision: z.string(),
  isWhole: z.boolean(),
  runs: z.array(rowSchema),
  removed: z.array(z.string()),
});

export const detailSchema: z.ZodType<LabRunDetail> = z.object({
  ...row,
  entry: text,
  args: z.array(z.string()).exactOptional(),
  environment: z.record(z.string(), z.string()).exactOptional(),
  resources: z.object({ cpus: z.number(), gpus: z.number(), memoryBytes: z.number() }).exactOptional(),
  code: z.object({ hash: z.string(), files: z.number(), bytes: z.number() }).exactOptional(),
  datasetHash: text,
  image: text,
  parentId: text,
  checkpoint: text,
  forks: z.array(z.object({ runId: z.string(), name: z.string(), state })),
  checkpoints: z.array(z.string()),
  models: z.array(z.object({ model: z.string(), version: z.number() })),
});

export const idsSchema = z.object({ runIds: z.array(z.string()) });

const column = z.base64().transform(doublesOf);

/** @param key of the metric. */
export function seriesSchema(key: string): z.ZodType<readonly LabSeries[]> {
  return z
    .object({
      series: z.array(z.object({ runId: z.string(), step: column, timestampMs: column, value: column })),
    })
    .transform(({ series }) => series.map((one) => ({ key, ...one })));
}

export const logSchema = z.object({
  text: z.string(),
  nextOffset: z.number(),
  bytes: z.number(),
  isEnd: z.boolean(),
});

export const artifactsSchema: z.ZodType<readonly LabArtifact[]> = z
  .object({
    artifacts: z.array(z.object({ path: z.string(), isFolder: z.boolean(), bytes: z.number() })),
  })
  .transform(({ artifacts }) => artifacts);

export const artifactSchema = z
  .object({ mime: z.string(), base64: z.base64(), totalBytes: z.number() })
  .transform(({ mime, base64, totalBytes }) => ({ mime, bytes: bytesOf(base64), totalBytes }));

export const differencesSchema: z.ZodType<readonly LabRunDifference[]> = z
  .object({ differences: z.array(z.object({ what: z.string(), from: text, to: text })) })
  .transform(({ differences }) => differences);

/** Of its own memory: pooled buffers can't be handed over. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

function doublesOf(base64: string): Float64Array {
  const bytes = bytesOf(base64);
  return new Float64Array(bytes.buffer, 0, Math.floor(bytes.byteLength / Float64Array.BYTES_PER_ELEMENT));
}
