import { join } from 'node:path';

import { SluiceError } from '../../contract';
import type { BetweenRequests, ModelUpload, PublishedModel, Publisher } from '../../serving';
import { isProcessAlive, processMark } from '../../storage';
import type { Models } from '../models/models';
import type { LibraryModels } from '../serve/served-models';
import type { Log } from '../state-file';
import {
  checkNewVersion,
  libraryNames,
  modelIn,
  rolledBack,
  withCanaryAt,
  withNewVersion,
  withoutModel,
} from './publication-changes';
import type { PublishedFile, StoredPublications } from './published-file';
import { IncomingFiles } from './receive-file';

/** Compiling takes memory and processors from the requests. */
const MOST_AT_ONCE = 2;
const RETRY_AFTER_SEC = 10;

export interface LibraryPublisherParts {
  readonly dataDir: string;
  readonly file: PublishedFile;
  readonly models: Models;
  readonly served: LibraryModels;
  /** Whether something else has a name. */
  readonly isTaken: (name: string) => boolean;
  /** Largest file that is taken, bytes. */
  readonly mostBytes: number;
  readonly log: Log;
}

/**
 * Keeps what is published in the library, each version under a name of its own. What answers is what the file says: a change
 * of it is one write, before which a new version is in the library and has been loaded, and after which an old one is taken
 * out.
 */
export class LibraryPublisher implements Publisher {
  private readonly changing = new Set<string>();
  private readonly mark = processMark();

  private constructor(
    private readonly parts: LibraryPublisherParts,
    private readonly incoming: IncomingFiles,
  ) {}

  /** Removes what killed processes left. @throws SluiceError `io`. */
  static async open(parts: LibraryPublisherParts): Promise<LibraryPublisher> {
    const incoming = await IncomingFiles.open(join(parts.dataDir, 'published-uploads'));
    const publisher = new LibraryPublisher(parts, incoming);
    const left = parts.file.current.loose.filter(({ mark }) => !isProcessAlive(mark));
    if (left.length > 0) await publisher.discard(left.map(({ library }) => library));
    return publisher;
  }

  get mostBytes(): number {
    return this.parts.mostBytes;
  }

  list(): readonly PublishedModel[] {
    return this.parts.file.current.models.map(({ servedAs, model, stable, canary, previous }) => ({
      servedAs,
      model,
      stable: stable.version,
      ...(canary && { canary: { version: canary.version, sharePct: canary.sharePct } }),
      ...(previous && { previous: previous.version }),
    }));
  }

  publish(
    upload: ModelUpload,
    body: AsyncIterable<Uint8Array>,
    between: BetweenRequests,
    signal: AbortSignal,
  ): Promise<void> {
    const { servedAs, version, sha256 } = upload;
    return this.exclusively(servedAs, async () => {
      const { file } = this.parts;
      const before = file.current;
      checkNewVersion(before, upload);
      this.refuseTaken(before, servedAs);
      const library = `${servedAs}.v${version}.${sha256.slice(0, 8)}`;
      await this.incoming.with(upload, body, signal, async (path) => {
        // The version before that comes again is there already.
        if (!libraryNames(before).has(library)) await this.import(library, path, signal);
      });
      try {
        await between(() => this.tryOut(upload, library));
        await this.commit((state) => withNewVersion(state, { ...upload, library }), between);
      } catch (thrown) {
        await this.discard([library]);
        throw thrown;
      }
    });
  }

  setCanary(servedAs: string, sharePct: number, between: BetweenRequests): Promise<void> {
    return this.exclusively(servedAs, () =>
      this.commit((state) => withCanaryAt(state, servedAs, sharePct), between),
    );
  }

  rollBack(servedAs: string, between: BetweenRequests): Promise<void> {
    return this.exclusively(servedAs, () => this.commit((state) => rolledBack(state, servedAs), between));
  }

  remove(servedAs: string, between: BetweenRequests): Promise<void> {
    return this.exclusively(servedAs, () => this.commit((state) => withoutModel(state, servedAs), between));
  }

  private async exclusively(servedAs: string, work: () => Promise<void>): Promise<void> {
    if (this.changing.has(servedAs)) {
      throw new SluiceError(
        'conflict',
        `Another publication of ${servedAs} goes on; wait until it has ended.`,
        { servedAs },
      );
    }
    if (this.changing.size >= MOST_AT_ONCE) {
      throw new SluiceError('overloaded', `${MOST_AT_ONCE} publications go on already.`, {
        retryAfterSec: RETRY_AFTER_SEC,
      });
    }
    this.changing.add(servedAs);
    try {
      await work();
    } finally {
      this.changing.delete(servedAs);
    }
  }

  private refuseTaken({ models }: StoredPublications, servedAs: string): void {
    if (models.some((model) => model.servedAs === servedAs) || !this.parts.isTaken(servedAs)) return;
    throw new SluiceError(
      'conflict',
      `${servedAs} is a model of this endpoint that was not published; publish under another name.`,
      { servedAs },
    );
  }

  /** Told to the file first: killed in the middle, the next start knows what to remove. */
  private async import(library: string, path: string, signal: AbortSignal): Promise<void> {
    const { file, models, served } = this.parts;
    await file.change((state) => ({ ...state, loose: [...state.loose, { library, mark: this.mark }] }));
    try {
      await models.importAndProfile({ path, name: library }, () => undefined, signal);
    } catch (thrown) {
      await this.discard([library]);
      throw thrown;
    }
    served.refresh();
  }

  /** Loads it. @throws SluiceError `bad-input`, `budget-too-small`, and why it can't be loaded. */
  private async tryOut({ servedAs, sharePct }: ModelUpload, library: string): Promise<void> {
    const { served, file } = this.parts;
    if (sharePct < 100) {
      const { stable } = modelIn(file.current, servedAs);
      served.checkAlike(stable.library, library);
      served.checkRoomFor([stable.library, library]);
    }
    await served.load(library);
  }

  /** One write changes what answers; then what no longer does is taken out, once nobody waits for it. */
  private async commit(
    change: (state: StoredPublications) => StoredPublications,
    between: BetweenRequests,
  ): Promise<void> {
    const { file, served, log } = this.parts;
    const dropped: string[] = [];
    await file.change((state) => {
      const changed = change(state);
      const kept = libraryNames(changed);
      const gone = [...libraryNames(state)].filter((library) => !kept.has(library));
      dropped.splice(0, Infinity, ...gone);
      const loose = [
        ...state.loose.filter(({ library }) => !kept.has(library)),
        ...gone.map((library) => ({ library, mark: this.mark })),
      ];
      return { ...changed, loose };
    });
    try {
      await between(async () => {
        await this.discard(dropped);
        for (const { previous } of file.current.models) if (previous) await served.release(previous.library);
      });
    } catch (thrown) {
      log(`What was replaced is removed at the next start: ${SluiceError.from(thrown).message}`);
    }
  }

  /** Of models that are no version. */
  private async discard(libraries: readonly string[]): Promise<void> {
    const { file, models, served } = this.parts;
    const kept = libraryNames(file.current);
    const gone = libraries.filter((library) => !kept.has(library));
    if (gone.length === 0) return;
    for (const library of gone) {
      if (models.list().some(({ name }) => name === library)) await models.discard(library);
    }
    await file.change((state) => ({
      ...state,
      loose: state.loose.filter(({ library }) => !gone.includes(library)),
    }));
    served.refresh();
  }
}
