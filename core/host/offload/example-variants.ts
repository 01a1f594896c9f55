import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { mobilenetVariants } from '../../offload';
import type { Jobs } from '../jobs';
import type { Models } from '../models/models';
import type { RegisteredVariant } from './deployment-store';

/** Weights mean nothing to what a deployment learns: how long answers take. */
const SEED = 1;
const WIDTHS = ['', '-075', '-050', '-025'];

export interface ExampleParts {
  readonly models: Models;
  readonly jobs: Jobs;
  readonly dataDir: string;
}

/** MobileNetV1 in four widths, fp32 and int8, with published accuracies; the models are named as in the zoo. */
export function exampleVariants(): readonly RegisteredVariant[] {
  return mobilenetVariants().map(({ id, title, accuracyPct, source }, index) => {
    const precision = index < WIDTHS.length ? '' : '-int8';
    return {
      id,
      model: `mobilenet-v1${WIDTHS[index % WIDTHS.length]!}${precision}`,
      title,
      accuracyPct,
      source,
    };
  });
}

/** Builds and imports those that are missing, as a job. @throws SluiceError `io`, `cancelled`, `conflict`. */
export async function installExampleVariants(
  { models, jobs, dataDir }: ExampleParts,
  jobId: string,
): Promise<readonly RegisteredVariant[]> {
  const variants = exampleVariants();
  const { writeZooModel, zooNetwork } = await import('../../zoo');
  await jobs.run({ id: jobId, kind: 'build', subject: 'MobileNetV1 variants' }, async (report, signal) => {
    const folder = await mkdtemp(join(dataDir, 'example-'));
    try {
      for (const { model } of variants) {
        if (models.list().some(({ name, state }) => name === model && state === 'ready')) continue;
        report({ phase: `${model}: build`, doneBytes: 0, totalBytes: 0 });
        const path = join(folder, `${model}.onnx`);
        await writeZooModel(zooNetwork(model), path, { seed: SEED, weights: 'inline', signal });
        await models.importAndProfile(
          { path, name: model, replace: true },
          (progress) => report({ ...progress, phase: `${model}: ${progress.phase}` }),
          signal,
        );
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  return variants;
}
