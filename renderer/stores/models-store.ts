import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { ModelSummary, WireError } from '../../core/contract';

export interface ModelsState {
  /** Undefined until the engine first answered. */
  readonly models?: readonly ModelSummary[];
  readonly loadError?: WireError;
  readonly actions: {
    readonly setModels: (models: readonly ModelSummary[]) => void;
    readonly failLoading: (error: WireError) => void;
  };
}

export type ModelsStore = StoreApi<ModelsState>;

/** The library, as the engine last listed it. */
export function createModelsStore(): ModelsStore {
  return createStore<ModelsState>((set) => ({
    actions: {
      setModels: (models) =>
        set(
          (state) => ({
            actions: state.actions,
            models: [...models].sort((a, b) => a.name.localeCompare(b.name)),
          }),
          true,
        ),
      failLoading: (loadError) => set({ loadError }),
    },
  }));
}
