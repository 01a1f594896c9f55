import type { ArtifactPath } from '../artifacts/artifact-path';

/** A run's id, or a logged model's. */
const ID = /^(?:m-)?[0-9a-f]{32}$/;

/**
 * Whose artifacts a remote may not have as they are now. Files have no journal: what was stored before this process began is
 * found by looking at all of them, once.
 */
export class ChangedOwners {
  private isAll = true;
  private readonly ids = new Set<string>();

  stored(path: ArtifactPath): void {
    const id = path.findLast((name) => ID.test(name));
    if (id !== undefined) this.add(id);
  }

  add(id: string): void {
    this.ids.add(id);
  }

  has(id: string): boolean {
    return this.isAll || this.ids.has(id);
  }

  get isEmpty(): boolean {
    return !this.isAll && this.ids.size === 0;
  }

  /** Takes what has changed until now, to give back what could not be sent. */
  take(): { readonly has: (id: string) => boolean; readonly putBack: (ids: Iterable<string>) => void } {
    const { isAll } = this;
    const ids = new Set(this.ids);
    this.isAll = false;
    this.ids.clear();
    return {
      has: (id) => isAll || ids.has(id),
      putBack: (unsent) => {
        for (const id of unsent) this.ids.add(id);
      },
    };
  }

  /** Looks at all of them again. */
  reset(): void {
    this.isAll = true;
  }
}
