import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The parts of `@huggingface/transformers` 4 that the bench uses. */
export interface TransformersModule {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly AutoModelForCausalLM: {
    from_pretrained(name: string, options: object): Promise<CausalModel>;
  };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => Int64Tensor;
  readonly DynamicCache: new (entries: object) => object;
}

export interface Int64Tensor {
  readonly data: BigInt64Array;
}

export interface CausalModel {
  generate(options: object): Promise<unknown>;
}

/** @throws Error when the package is not installed there. */
export function loadTransformers(packageFolder: string): TransformersModule {
  const load = createRequire(join(packageFolder, 'package.json'));
  return load('@huggingface/transformers') as TransformersModule;
}
