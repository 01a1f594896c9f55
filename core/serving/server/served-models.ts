import type { OipTensor, OipTensorMetadata } from '../protocol/tensor';

/** A model as the server shows it. */
export interface ServedModel {
  readonly name: string;
  /** Requests may name it or none. */
  readonly version: string;
  /** As the models behind the server know it, where that is not `name`: several versions of a name. */
  readonly runsAs?: string;
  /** What runs it, e.g. `sluice_layering`. */
  readonly platform: string;
  readonly inputs: readonly OipTensorMetadata[];
  readonly outputs: readonly OipTensorMetadata[];
  /** Whether inferences are taken; a model that is ready may still have to be loaded, which its first inference does. */
  readonly isReady: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
}

export interface ModelAnswer {
  readonly outputs: readonly OipTensor[];
  /** Time the model ran, without loading. */
  readonly computeMs: number;
}

/** The models behind a server; all but `list` and `route` go by `runsAs`. Calls that use the engine come one at a time. */
export interface ServedModels {
  /** Every model that may be served, ready or not; of several versions of a name the one that stands for it first. */
  list(): readonly ServedModel[];
  /**
   * Which versions take a request that names none, in the order they are asked: the next one where one fails. Absent or
   * empty: the first that is listed.
   */
  route?(name: string): readonly string[];
  /** Takes a model into service and loads it. @throws SluiceError `not-found`, and why it can't be loaded. */
  load(name: string): Promise<void>;
  /** Takes a model out of service and frees its memory. @throws SluiceError `not-found`. */
  unload(name: string): Promise<void>;
  /**
   * @param inputs all inputs of the model, checked against its metadata; they may be views of a larger buffer.
   * @throws SluiceError `cancelled` when the signal aborts, and what the engine throws.
   */
  infer(name: string, inputs: readonly OipTensor[], signal: AbortSignal): Promise<ModelAnswer>;
}
