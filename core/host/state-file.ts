import { readFile } from 'node:fs/promises';

import type { z } from 'zod';

import { ioError, writeFileAtomic } from '../storage';

/** Tells a person about something that needs no answer. */
export type Log = (message: string) => void;

/**
 * A small JSON file that is replaced as a whole. Writes are one at a time, and several asked for during one become
 * a single one with the latest value.
 */
export class StateFile<T> {
  private pending: T | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    readonly path: string,
    private readonly schema: z.ZodType<T>,
    private readonly log: Log,
  ) {}

  /** The stored value; undefined when there is none. A file that can't be used is told about and left alone. */
  async read(): Promise<T | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
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

  /** Writes soon. A failure is told and loses only history; the engine goes on. */
  write(value: T): void {
    this.pending = value;
    this.writing ??= this.drain();
  }

  /** Resolves when everything asked for is on disk (or failed). */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async drain(): Promise<void> {
    while (this.pending !== undefined) {
      const value = this.pending;
      this.pending = undefined;
      try {
        await writeFileAtomic(this.path, JSON.stringify(value));
      } catch (error) {
        this.log(`${this.path} was not saved: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.writing = undefined;
  }
}
