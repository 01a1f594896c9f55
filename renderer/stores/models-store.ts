import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { ModelSummary, RemovedModel, WireError } from '../../core/contract';

export interface ModelsState {
  /** Undefined until the engine first answered. */
  readonly models?: readonly ModelSummary[];
  readonly loadError?: WireError;
  /** What was removed and can still be put back. */
  readonly removed: readonly RemovedModel[];
  readonly actions: {
    readonly setModels: (models: readonly ModelSummary[]) => void;
    readonly setRemoved: (removed: readonly RemovedModel[]) => void;
    readonly failLoading: (error: WireError) => void;
  };
}

export type ModelsStore = StoreApi<ModelsState>;

/** The library, as the engine last listed it. */
export function createModelsStore(): ModelsStore {
  return createStore<ModelsState>((set) => ({
    removed: [],
    actions: {
      setModels: (models) =>
        set(
          (state) => ({
            actions: state.actions,
            removed: state.removed,
            models: [...models].sort((a, b) => a.name.localeCompare(b.name)),
          }),
          true,
        ),
      setRemoved: (removed) => set({ removed }),
      failLoading: (loadError) => set({ loadError }),
    },
  }));
}
