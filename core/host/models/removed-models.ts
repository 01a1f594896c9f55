import type { ModelSummary, RemovedModel } from '../../contract';
import { SluiceError } from '../../contract';
import type { RemovedFolder } from '../../layering';
import type { EventBus } from '../event-bus';
import { isoTime } from '../host-clock';
import type { HostClock } from '../host-clock';
import type { Library } from './model-ports';
import { Mutex } from '../mutex';
import type { Log } from '../state-file';

/** Long enough to notice a mistake, short enough that the disk space comes back by itself. */
const UNDO_MS = 10 * 60_000;

export interface RemovedModelsParts {
  readonly library: Pick<Library, 'remove' | 'restore' | 'discard'>;
  readonly bus: EventBus;
  readonly clock: HostClock;
  readonly log: Log;
}

interface Kept {
  readonly folder: RemovedFolder;
  readonly told: RemovedModel;
  readonly stopTimer: () => void;
}

/**
 * The model that was removed last: it can be put back until the next removal, for ten minutes, or as long as this
 * process lives, whichever ends first. Its bytes stay on disk so long.
 */
export class RemovedModels {
  private last: Kept | undefined;
  private readonly changing = new Mutex();

  constructor(private readonly parts: RemovedModelsParts) {}

  /** At most one. */
  list(): readonly RemovedModel[] {
    return this.last ? [this.last.told] : [];
  }

  /** Removes a model and frees the space of the one before. @throws SluiceError as `ModelLibrary.remove`. */
  remove(name: string): Promise<RemovedModel> {
    const { library, clock } = this.parts;
    return this.changing.run(async () => {
      const folder = await library.remove(name);
      await this.free();
      const told = { name, bytes: folder.bytes, undoUntil: isoTime(clock.nowMs() + UNDO_MS) };
      this.last = { folder, told, stopTimer: clock.after(UNDO_MS, () => void this.discardAll()) };
      this.tell();
      return told;
    });
  }

  /** @throws SluiceError `not-found` when it is gone for good, `conflict` when there is another of its name, `io`. */
  restore(name: string): Promise<ModelSummary> {
    return this.changing.run(async () => {
      const { last } = this;
      if (last?.folder.name !== name) {
        throw new SluiceError(
          'not-found',
          `${name} can't be put back: its store is deleted. Import it again from its source file.`,
          { name },
        );
      }
      const summary = await this.parts.library.restore(last.folder);
      last.stopTimer();
      this.last = undefined;
      this.tell();
      return summary;
    });
  }

  /** Gives up what could be put back. Never throws: what can't be deleted now is when the library is opened next. */
  discardAll(): Promise<void> {
    return this.changing.run(async () => {
      if (!this.last) return;
      await this.free();
      this.tell();
    });
  }

  private async free(): Promise<void> {
    const { last } = this;
    if (!last) return;
    last.stopTimer();
    this.last = undefined;
    try {
      await this.parts.library.discard(last.folder);
    } catch (thrown) {
      this.parts.log(
        `The space of ${last.folder.name} is freed at the next start: ${SluiceError.from(thrown).message}`,
      );
    }
  }

  private tell(): void {
    this.parts.bus.emit('removed', this.list());
  }
}
