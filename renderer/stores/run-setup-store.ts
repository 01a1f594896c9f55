import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { PipelineMode, RunInput, WireError } from '../../core/contract';

/** What is fed, with the name it is shown by. */
export interface NamedInput {
  readonly name: string;
  readonly input: RunInput;
}

/** How one model is to be run. */
export interface RunSetup {
  readonly mode: PipelineMode;
  /** Undefined: the default of the model's curve. */
  readonly budgetBytes?: number;
  /** Undefined: the first example for the model's task. */
  readonly chosen?: NamedInput;
  /** A file chosen or dropped; stays on offer while another input is in use. */
  readonly file?: NamedInput;
  /** As typed, milliseconds; empty: back to back, or the period. */
  readonly periodText: string;
  readonly deadlineText: string;
}

export interface RunSetupState {
  readonly setups: Readonly<Record<string, RunSetup>>;
  /** Input of each run started here: records carry only its name. */
  readonly inputs: Readonly<Record<string, RunInput>>;
  /** Starts the engine refused, by model. */
  readonly startErrors: Readonly<Record<string, WireError>>;
  readonly actions: {
    readonly change: (model: string, part: Partial<RunSetup>) => void;
    readonly started: (model: string, runId: string, input: RunInput) => void;
    readonly refused: (model: string, error: WireError | undefined) => void;
  };
}

export type RunSetupStore = StoreApi<RunSetupState>;

export const DEFAULT_SETUP: RunSetup = { mode: 'async', periodText: '', deadlineText: '' };

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** The Run panel's choices, kept per model while the console is open. */
export function createRunSetupStore(): RunSetupStore {
  return createStore<RunSetupState>((set) => ({
    setups: {},
    inputs: {},
    startErrors: {},
    actions: {
      change: (model, part) =>
        set(({ setups, startErrors }) => ({
          setups: { ...setups, [model]: { ...(setups[model] ?? DEFAULT_SETUP), ...part } },
          startErrors: without(startErrors, model),
        })),
      started: (model, runId, input) =>
        set(({ inputs, startErrors }) => ({
          inputs: { ...inputs, [runId]: input },
          startErrors: without(startErrors, model),
        })),
      refused: (model, error) =>
        set(({ startErrors }) => ({
          startErrors: error === undefined ? without(startErrors, model) : { ...startErrors, [model]: error },
        })),
    },
  }));
}
