import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Datasets } from '../datasets/datasets';
import type { LongWork } from '../datasets/tree/tree-store';
import type { RunDataset } from './run-types';

/**
 * Datasets laid out for runs on this node, each version once: read-only folders that several runs share. They are copies,
 * so a run that breaks one (root can) breaks no version in the store.
 */
export class DatasetCache {
  private readonly under = new Map<string, Promise<void>>();

  constructor(
    private readonly folder: string,
    private readonly datasets: Datasets,
  ) {}

  folderOf({ hash }: RunDataset): string {
    return join(this.folder, hash);
  }

  async holds(dataset: RunDataset): Promise<boolean> {
    return (await stat(this.folderOf(dataset)).catch(() => undefined)) !== undefined;
  }

  /** @returns where it is. @throws SluiceError `not-found`, `corrupt-store`, `io`, `cancelled`. */
  async prepare(user: string, dataset: RunDataset, work: LongWork = {}): Promise<string> {
    const folder = this.folderOf(dataset);
    const running = this.under.get(folder);
    if (running) {
      // Whoever began it may have been cancelled: then it is begun again.
      await running.catch(() => undefined);
    }
    if (await this.holds(dataset)) return folder;
    const writing = this.datasets.materialise({ name: user }, dataset.name, String(dataset.number), folder, {
      ...work,
      isReadOnly: true,
    });
    this.under.set(folder, writing);
    try {
      await writing;
    } finally {
      if (this.under.get(folder) === writing) this.under.delete(folder);
    }
    return folder;
  }
}
