import type { Engine, EngineModel, ModelLibrary } from '../../layering';

/** A model in the engine's memory, as much of it as runs need. */
export type LoadedModel = Pick<EngineModel, 'manifest' | 'plan' | 'memoryUse' | 'run' | 'close'>;

/** What loads models. */
export interface ModelLoader {
  load(request: Parameters<Engine['load']>[0]): Promise<LoadedModel>;
}

/** The library as the host uses it. */
export type Library = Pick<
  ModelLibrary,
  | 'list'
  | 'summary'
  | 'storePath'
  | 'sourcePath'
  | 'modelFolder'
  | 'inspect'
  | 'import'
  | 'addTextPipeline'
  | 'verify'
  | 'remove'
  | 'restore'
  | 'discard'
>;
