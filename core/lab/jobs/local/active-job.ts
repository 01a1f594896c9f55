import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import type { JobResources } from '../job-engine';

import { isOver, type JobFolder, type JobRecord, type JobStart } from './job-folder';
import { endLeftovers } from './leftovers';
import { ProcessTree } from './process-tree';
import { superviseJob } from './supervisor-start';

/** One job in the engine's care: from its submission, or the engine's start, until it is over on disk. */
export class ActiveJob {
  private readonly record: JobRecord;
  private why: string | undefined;
  /** Why its supervisor did not start, until that is on disk. */
  private unstarted: string | undefined;

  /**
   * @param onNews called when it is worth a look.
   * @throws SluiceError `io`, `corrupt-store` when its record can't be read.
   */
  constructor(
    readonly folder: JobFolder,
    private readonly clock: Clock,
    private readonly onNews: () => void,
  ) {
    this.record = folder.record();
  }

  get resources(): JobResources {
    return this.record.spec.resources;
  }

  /** What went wrong in the care of it when it was looked at last, not in the job: a full disk, say. */
  get fault(): string | undefined {
    return this.why;
  }

  /** Its turn has come: what it was given is written, and its supervisor started. */
  begin(start: JobStart): void {
    void this.heldBy(async () => {
      await this.folder.writeStart(start);
      await superviseJob(this.folder);
    });
  }

  /** It began before this engine was there; a supervisor that did not come up is started again. */
  goOn(): void {
    if (!this.folder.isClaimed) void this.heldBy(() => superviseJob(this.folder));
  }

  /** Sees what has become of it, and ends what nobody holds. @returns whether it is over; with a `fault`, not yet. */
  async look(): Promise<boolean> {
    try {
      this.writeUnstarted();
      if (this.folder.isGone) return new ProcessTree(this.record.token).scan(true).length === 0;
      if (this.isLeft && (await this.endLeft())) await this.writeLost();
      const over = isOver(this.folder);
      this.why = over || !this.isLeft ? undefined : 'its supervisor was killed, and its processes do not end';
      return over;
    } catch (error) {
      this.why = SluiceError.from(error).message;
      return false;
    }
  }

  private async heldBy(supervise: () => Promise<void>): Promise<void> {
    try {
      await supervise();
    } catch (error) {
      // It has not run and never will.
      this.unstarted = SluiceError.from(error).message;
    }
    this.onNews();
  }

  /** @throws SluiceError `io`: each look tries again until the disk takes it. */
  private writeUnstarted(): void {
    if (this.unstarted === undefined) return;
    const reason = `its supervisor did not start: ${this.unstarted}`;
    this.folder.claim({ state: 'failed', endedMs: this.clock.nowMs(), reason });
    this.unstarted = undefined;
  }

  /** Its supervisor went without a word of how it ended; that word may come while its process is looked for. */
  private get isLeft(): boolean {
    const { folder } = this;
    return folder.isClaimed && !isOver(folder) && folder.supervisor() === undefined && !isOver(folder);
  }

  private endLeft(): Promise<boolean> {
    return endLeftovers(this.record.token, this.folder.status()?.mark, this.clock);
  }

  private async writeLost(): Promise<void> {
    const reason =
      'its supervisor was killed, and how the program ended can not be told; what was left of it was ended';
    this.folder.giveBackReserve();
    const endedMs = this.clock.nowMs();
    await this.folder.writeStatus({ ...this.folder.status(), state: 'lost', endedMs, reason });
  }
}
