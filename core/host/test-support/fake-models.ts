import { SluiceError } from '../../contract';
import type { PipelineMode, PlanDetail } from '../../contract';
import type { LoadDemand } from '../models/loaded-models';
import type { LoadedModel, ModelLoader } from '../models/model-ports';

export function fakePlan(parameterMemoryBytes: number, mode: PipelineMode = 'async'): PlanDetail {
  return {
    model: 'm',
    mode,
    budgetBytes: parameterMemoryBytes,
    parameterMemoryBytes,
    ringBytes: parameterMemoryBytes,
    residentBytes: 0,
    constantBytes: 0,
    streamedBytesPerRun: 10,
    segments: 1,
    predictedMs: 5,
    placement: ['streamed'],
  };
}

export function demandOf(model: string, parameterBytes: number, mode: PipelineMode = 'async'): LoadDemand {
  return { model, storePath: `/stores/${model}`, mode, budgetBytes: parameterBytes, parameterBytes };
}

/** Loads nothing: remembers what is loaded, and fails for paths in `broken`. */
export class FakeLoader implements ModelLoader {
  readonly loaded = new Set<string>();
  readonly broken = new Set<string>();
  loads = 0;

  load({ storePath, mode, budgetBytes }: Parameters<ModelLoader['load']>[0]): Promise<LoadedModel> {
    if (this.broken.has(storePath)) return Promise.reject(new SluiceError('io', `${storePath} is broken`));
    const key = `${storePath} ${mode} ${budgetBytes ?? 0}`;
    this.loaded.add(key);
    this.loads += 1;
    const bytes = budgetBytes ?? 100;
    return Promise.resolve({
      manifest: undefined as never,
      plan: fakePlan(bytes, mode),
      memoryUse: { ringBytes: bytes, residentBytes: 0, constantBytes: 0, activationBytes: 7 },
      run: () => Promise.reject(new SluiceError('internal', 'not run in this test')),
      close: () => {
        this.loaded.delete(key);
        return Promise.resolve();
      },
    });
  }
}
