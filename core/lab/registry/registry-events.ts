import type { Stage } from './names';

/** What has changed, when it is stored already. */
export type RegistryEvent =
  | { readonly kind: 'version-created' | 'version-removed'; readonly model: string; readonly version: number }
  | {
      readonly kind: 'stage-changed';
      readonly model: string;
      readonly version: number;
      readonly from: Stage;
      readonly to: Stage;
    }
  | {
      readonly kind: 'alias-set';
      readonly model: string;
      readonly alias: string;
      readonly version: number;
      /** The version that had it. */
      readonly previousVersion?: number;
    }
  /** Also when the version it named was removed. */
  | {
      readonly kind: 'alias-removed';
      readonly model: string;
      readonly alias: string;
      readonly version: number;
    }
  | { readonly kind: 'model-renamed'; readonly model: string; readonly newName: string }
  /** With all its versions and aliases. */
  | { readonly kind: 'model-removed'; readonly model: string };

export type RegistryListener = (event: RegistryEvent) => void;

/** Those who follow the registry in this process. */
export class RegistryListeners {
  private readonly listeners = new Set<RegistryListener>();

  /** @param onFault takes what a listener throws: neither the change nor the other listeners suffer from it. */
  constructor(private readonly onFault: (cause: unknown) => void) {}

  /** @returns what ends it. */
  add(listener: RegistryListener): () => void {
    const own: RegistryListener = (event) => listener(event);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  tell(events: readonly RegistryEvent[]): void {
    for (const event of events) {
      for (const listener of [...this.listeners]) {
        try {
          listener(event);
        } catch (cause) {
          this.onFault(cause);
        }
      }
    }
  }
}
