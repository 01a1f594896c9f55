import { statSync } from 'node:fs';

import { SluiceError } from '../../contract';
import { instructionSet } from '../../layering';
import type { OrtEnvironment } from '../../ort';
import { ioError } from '../../storage';
import { ResidentSteps, type LoadingOptions } from '../decoder/resident-steps';
import type { WeightSteps } from '../decoder/weight-steps';
import { isPackable } from '../gguf/pack-blocks';
import { quantLayout } from '../gguf/quant-layouts';
import type { ModelSource } from '../source/model-source';
import type { TensorReader } from '../source/tensor-reader';
import { compileSteps } from './compile-steps';
import { graphFingerprint } from './graph-fingerprint';
import { planWeights } from './plan-weights';
import { readStoredSteps, type StoredSteps, type StoreIdentity } from './stored-steps';
import { StreamedSteps } from './streamed-steps';

export interface BudgetedOptions extends LoadingOptions {
  readonly budgetBytes: number;
  /** Where weights are laid out for streaming, once; made when it is needed and not there. */
  readonly storeFolder: string;
}

/** A session beside its weights: graph, kernels, names. */
const SESSION_BYTES = 256 << 10;
/** Per block of a quantised matrix: scales, as given and as laid out, offsets, and sums of the quants. */
const BLOCK_BYTES = 16;

/**
 * A decoder's weights within a budget: all in memory where they fit, else streamed from disk.
 * @throws SluiceError `budget-too-small` with `details.minimumBytes`, `io`, `bad-model`, `unsupported`, `runtime`,
 * `corrupt-store` (a store that is damaged twice), `cancelled`.
 */
export async function openSteps(
  source: ModelSource,
  reader: TensorReader,
  environment: OrtEnvironment,
  options: BudgetedOptions,
): Promise<WeightSteps> {
  const { budgetBytes } = options;
  if (residentEstimate(source, options) <= budgetBytes) {
    const steps = await ResidentSteps.open(reader, environment, options);
    if (steps.memory().residentBytes <= budgetBytes) return steps;
    steps.close();
  }
  try {
    return await openStreamed(source, reader, environment, options);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'corrupt-store') throw error;
    return openStreamed(source, reader, environment, options);
  }
}

async function openStreamed(
  source: ModelSource,
  reader: TensorReader,
  environment: OrtEnvironment,
  options: BudgetedOptions,
): Promise<WeightSteps> {
  const store = await storeOf(source, reader, environment, options);
  return StreamedSteps.open(environment, store, planWeights(store.steps, options.budgetBytes), options);
}

async function storeOf(
  source: ModelSource,
  reader: TensorReader,
  environment: OrtEnvironment,
  options: BudgetedOptions,
): Promise<StoredSteps> {
  const { storeFolder: folder } = options;
  const identity = identityOf(source, environment, options);
  const found = readStoredSteps(folder, identity);
  return found ?? compileSteps(reader, environment, { ...options, folder, identity });
}

function identityOf(
  source: ModelSource,
  { version }: OrtEnvironment,
  { precision }: BudgetedOptions,
): StoreIdentity {
  const paths = [...new Set([...source.tensors.values()].map(({ file }) => file))].sort();
  return {
    files: paths.map((path) => {
      try {
        const { size, mtimeMs } = statSync(path);
        return { path, bytes: size, changedMs: mtimeMs };
      } catch (cause) {
        throw ioError(`Can't read ${path}`, cause);
      }
    }),
    precision,
    graphs: graphFingerprint(source, precision),
    runtime: version,
    instructionSet: instructionSet(),
  };
}

/** What the sessions of all steps take, rather too much than too little. */
function residentEstimate({ config, tensors }: ModelSource, { precision }: LoadingOptions): number {
  let bytes = (config.layers + 2) * SESSION_BYTES;
  for (const { dims, type } of tensors.values()) {
    const weights = dims.reduce((product, size) => product * size, 1);
    const layout = precision === 'packed' && isPackable(type) ? quantLayout(type.name) : undefined;
    bytes += layout
      ? (weights * layout.bits) / 8 + (weights / layout.subElements) * BLOCK_BYTES
      : 4 * weights;
  }
  return bytes;
}
