import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { SluiceError, isNewerStore } from '../../contract';
import { ioError, parseStored, storedText, withLock, writeFileAtomic } from '../../storage';
import type { StoreFormat } from '../../storage';

/** The file is looked at again after that long, so that what another process publishes is seen. */
const READ_EVERY_MS = 2000;

const version = z.object({
  version: z.int(),
  /** What the library calls it. */
  library: z.string(),
});
const published = z.object({
  servedAs: z.string(),
  model: z.string(),
  stable: version,
  canary: version.extend({ sharePct: z.number() }).exactOptional(),
  previous: version.exactOptional(),
});
const stateSchema = z.object({
  models: z.array(published).readonly(),
  /** Models of the library that are no version yet or no longer; `mark` names the process that sees to them. */
  loose: z.array(z.object({ library: z.string(), mark: z.string() })).readonly(),
});

const FORMAT: StoreFormat<z.infer<typeof stateSchema>> = {
  what: 'what is published',
  version: 1,
  schema: stateSchema,
};

export type StoredVersion = Readonly<z.infer<typeof version>>;
export type StoredModel = Readonly<z.infer<typeof published>>;
export type StoredPublications = Readonly<z.infer<typeof stateSchema>>;

const NOTHING: StoredPublications = { models: [], loose: [] };

/** Every version of a model, the one that answers first. */
export function versionsOf({ stable, canary, previous }: StoredModel): readonly StoredVersion[] {
  return [stable, ...(canary ? [canary] : []), ...(previous ? [previous] : [])];
}

/** What is published here, on disk. Several processes may share it. */
export class PublishedFile {
  private state: StoredPublications;
  private readMs: number;

  /** @throws SluiceError `corrupt-store`, `unsupported` when a newer Sluice wrote it, `io`. */
  constructor(
    private readonly path: string,
    private readonly nowMs: () => number,
  ) {
    this.state = this.read();
    this.readMs = nowMs();
  }

  /** @throws SluiceError `corrupt-store`, `io`. */
  get current(): StoredPublications {
    if (this.nowMs() - this.readMs >= READ_EVERY_MS) {
      this.state = this.read();
      this.readMs = this.nowMs();
    }
    return this.state;
  }

  /** It is on disk when this returns. @param change throws to leave all as it is. @throws SluiceError `io`, `conflict`. */
  change(change: (state: StoredPublications) => StoredPublications): Promise<void> {
    return withLock(`${this.path}.lock`, async () => {
      const changed = change(this.read());
      await writeFileAtomic(this.path, storedText(FORMAT, changed));
      this.state = changed;
    });
  }

  private read(): StoredPublications {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return NOTHING;
      throw ioError(`Can't read ${this.path}`, cause);
    }
    try {
      return parseStored(FORMAT, this.path, text);
    } catch (cause) {
      if (isNewerStore(cause)) throw cause;
      throw new SluiceError(
        'corrupt-store',
        `${this.path} does not say what is published: delete it, and publish again.`,
        { path: this.path },
        { cause },
      );
    }
  }
}
