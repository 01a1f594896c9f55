import { readFileSync } from 'node:fs';

import type { z } from 'zod';

import { ioError, withLock, writeFileAtomic } from '../storage';

/** Tells a person about something that needs no answer. */
export type Log = (message: string) => void;

/** What a file holds after a change. Called again on what other processes wrote, so it must bear repetition. */
type Change<T> = (current: T | undefined) => T;

/**
 * A small JSON file that several processes may change: each change is made to what is there then, under a lock, and
 * the file is replaced as a whole. Changes asked for during a write are made together in the next one.
 */
export class StateFile<T> {
  private changes: readonly Change<T>[] = [];
  private writing: Promise<void> | undefined;

  constructor(
    readonly path: string,
    private readonly schema: z.ZodType<T>,
    private readonly log: Log,
  ) {}

  /**
   * What the file holds, or will once everything asked for is written; undefined when there is none. A file that
   * can't be used is told about and counts as none. @throws SluiceError `io`.
   */
  read(): T | undefined {
    return applied(this.changes, this.stored());
  }

  /** Changes the file soon. A failure is told and loses only history; the engine goes on. */
  change(change: Change<T>): void {
    this.changes = [...this.changes, change];
    this.writing ??= this.drain();
  }

  /** Resolves when everything asked for is on disk (or failed). */
  async settled(): Promise<void> {
    await this.writing;
  }

  private stored(): T | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw ioError(`Can't read ${this.path}`, cause);
    }
    try {
      return this.schema.parse(JSON.parse(text));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.log(`${this.path} is not usable and will be written anew: ${reason}`);
      return undefined;
    }
  }

  private async drain(): Promise<void> {
    while (this.changes.length > 0) {
      const { changes } = this;
      try {
        await withLock(`${this.path}.lock`, () =>
          writeFileAtomic(this.path, JSON.stringify(applied(changes, this.stored()))),
        );
      } catch (error) {
        this.log(`${this.path} was not saved: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.changes = this.changes.slice(changes.length);
    }
    this.writing = undefined;
  }
}

function applied<T>(changes: readonly Change<T>[], value: T | undefined): T | undefined {
  return changes.reduce<T | undefined>((current, change) => change(current), value);
}
