import type { Clock } from '../../base';
import type { LabDatabase } from '../store/lab-database';
import type { SourceLookup } from './model-source';
import { ModelVersions } from './model-versions';
import { RegisteredModels } from './registered-models';
import { RegistryListeners, type RegistryListener } from './registry-events';
import { RegistryRows } from './registry-rows';

export interface ModelRegistryOptions {
  /** With the tables of `REGISTRY_SCHEMA`. */
  readonly database: LabDatabase;
  readonly clock: Clock;
  readonly lookup: SourceLookup;
  /** Takes what a listener throws. */
  onListenerFault(this: void, cause: unknown): void;
}

/** Named models, their versions, and which of them is where: what serving follows. */
export class ModelRegistry {
  readonly models: RegisteredModels;
  readonly versions: ModelVersions;
  private readonly listeners: RegistryListeners;

  constructor({ database, clock, lookup, onListenerFault }: ModelRegistryOptions) {
    const rows = new RegistryRows(database);
    this.listeners = new RegistryListeners(onListenerFault);
    this.models = new RegisteredModels(database, rows, clock, this.listeners);
    this.versions = new ModelVersions(database, rows, clock, lookup, this.listeners);
  }

  /** Calls back after each change, when it is stored. @returns what ends it. */
  listen(listener: RegistryListener): () => void {
    return this.listeners.add(listener);
  }
}
