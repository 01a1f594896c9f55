import { rm } from 'node:fs/promises';
import path from 'node:path';
import { readModel, writeModel } from '../onnx';
import type { OnnxModel } from '../onnx';
import { fillLightGraph } from './light';
import { streamWeights } from './weights-file';
import type { ZooNetwork } from './zoo-network';

export interface WriteZooOptions {
  readonly seed: number;
  /**
   * `external` (the default): weights of 1 KiB and more in `NAME.weights` beside `NAME.onnx`, page-aligned.
   * `inline`: all in the one .onnx file, which ONNX limits to 2 GiB.
   */
  readonly weights?: 'external' | 'inline';
  readonly signal?: AbortSignal;
}

/** What a light graph became. */
export interface LightModelReport {
  /** Names of the weights that got seeded values. */
  readonly filled: readonly string[];
  /** Outputs of ConstantOfShape nodes left in place: no weights, or of a shape only known at run time. */
  readonly kept: readonly string[];
}

/**
 * Builds a reference network and writes it to `filePath`, holding about 4 MiB of weights at a time.
 * @throws SluiceError `io`, `cancelled`.
 */
export async function writeZooModel(
  network: ZooNetwork,
  filePath: string,
  options: WriteZooOptions,
): Promise<void> {
  await writeSeededModel(network.build(options.seed), filePath, options);
}

/**
 * Reads a "light" ONNX graph (weights written as ConstantOfShape of a constant shape), gives its weights seeded
 * values scaled for the operators that read them, and writes the full-size network to `outPath`. A weight keeps its
 * name; the same seed gives the same values.
 * @throws SluiceError as `readModel` does, `io`, `cancelled`.
 */
export async function fillLightModel(
  lightPath: string,
  outPath: string,
  seed: number,
  options: Omit<WriteZooOptions, 'seed'> = {},
): Promise<LightModelReport> {
  const { signal } = options;
  const light = await readModel(lightPath, { inlineLimitBytes: Infinity, ...(signal && { signal }) });
  const { model, filled, kept } = fillLightGraph(light, seed);
  await writeSeededModel(model, outPath, options);
  return { filled, kept };
}

async function writeSeededModel(
  model: OnnxModel,
  filePath: string,
  { weights = 'external', signal }: Omit<WriteZooOptions, 'seed'>,
): Promise<void> {
  const fullPath = path.resolve(filePath);
  const stem = path.join(path.dirname(fullPath), path.basename(fullPath, '.onnx'));
  const external = weights === 'external';
  const weightsPath = external ? `${stem}.weights` : `${stem}.weights.partial`;
  const streamed = await streamWeights(model, weightsPath, signal);
  try {
    await writeModel(streamed, fullPath, { keepFileRefs: external, ...(signal && { signal }) });
  } finally {
    if (!external) await rm(weightsPath, { force: true });
  }
}
