import type { Clock } from '../../../base';
import { hasEnded } from '../job-state';

import type { JobFolder, KeptStatus } from './job-folder';

const RETRY_MS = 500;

/**
 * Writes a job's status one at a time, the newest only, again and again until the disk takes it: what a job did must
 * not be lost because it filled the disk.
 */
export class StatusWriter {
  private wanted: KeptStatus | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly folder: JobFolder,
    private readonly clock: Clock,
  ) {}

  set(status: KeptStatus): void {
    this.wanted = status;
    this.writing ??= this.write().finally(() => (this.writing = undefined));
  }

  /** Once what was set last is on disk. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    while (this.wanted) {
      const status = this.wanted;
      try {
        await this.folder.writeStatus(status);
        if (this.wanted === status) this.wanted = undefined;
      } catch (error) {
        // Nobody can ask for it any more.
        if (this.folder.isGone) return;
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        if (hasEnded(status)) this.folder.giveBackReserve();
        await new Promise<void>((resolve) => this.clock.after(RETRY_MS, resolve));
      }
    }
  }
}
