import { copyFileSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import type { z } from 'zod';

import { isNewerStore } from '../contract';
import { faultText, ioError, parseStored, storedText, withLock, writeFileAtomic } from '../storage';
import type { StoreFormat } from '../storage';

/** Tells a person about something that needs no answer. */
export type Log = (message: string) => void;

/** What a file holds after a change. Called again on what other processes wrote, so it must bear repetition. */
type Change<T> = (current: T | undefined) => T;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
/** What waits while the disk fails; the oldest go beyond that. */
const MOST_WAITING = 1000;

/**
 * A small JSON file that several processes may change: each change is made to what is there then, under a lock, and
 * the file is replaced as a whole. Changes asked for during a write are made together in the next one; those that a
 * failing disk refuses are made again later. A file of a newer Sluice is never written; one that can't be used is kept
 * beside the new one, with `.damaged` to its name.
 */
export class StateFile<T> {
  private changes: readonly Change<T>[] = [];
  private writing: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  private readonly format: StoreFormat<T>;

  /** @param format a schema alone: of version 1. */
  constructor(
    readonly path: string,
    format: z.ZodType<T> | StoreFormat<T>,
    private readonly log: Log,
  ) {
    this.format = 'schema' in format ? format : { what: basename(path), version: 1, schema: format };
  }

  /**
   * What the file holds, or will once everything asked for is written; undefined when there is none. A file that
   * can't be used is told about and counts as none. @throws SluiceError `io`, `unsupported` when a newer Sluice wrote it.
   */
  read(): T | undefined {
    return applied(this.changes, this.stored().value);
  }

  /** Changes the file soon. A failure is told, and tried again for as long as this process is there. */
  change(change: Change<T>): void {
    this.changes = [...this.changes, change].slice(-MOST_WAITING);
    if (this.retry === undefined) this.writing ??= this.drain();
  }

  /** Resolves when everything asked for is on disk (or failed, once more). */
  async settled(): Promise<void> {
    clearTimeout(this.retry);
    this.retry = undefined;
    if (this.changes.length > 0) this.writing ??= this.drain();
    await this.writing;
  }

  private stored(): { readonly value?: T; readonly isDamaged?: boolean } {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw ioError(`Can't read ${this.path}`, cause);
    }
    try {
      return { value: parseStored(this.format, this.path, text) };
    } catch (cause) {
      if (isNewerStore(cause)) throw cause;
      this.log(
        `${this.path} is not usable; once there is something to keep it is written anew, and kept as ${this.damagedPath}: ` +
          faultText(cause),
      );
      return { isDamaged: true };
    }
  }

  private async drain(): Promise<void> {
    while (this.changes.length > 0 && this.retry === undefined) {
      const { changes } = this;
      try {
        await withLock(`${this.path}.lock`, () => this.write(changes));
        this.failures = 0;
      } catch (error) {
        this.log(`${this.path} was not saved: ${error instanceof Error ? error.message : String(error)}`);
        if (isWorthRetrying(error)) {
          this.later();
          break;
        }
      }
      this.changes = this.changes.filter((change) => !changes.includes(change));
    }
    this.writing = undefined;
  }

  private write(changes: readonly Change<T>[]): Promise<void> {
    const { value, isDamaged = false } = this.stored();
    const text = storedText(this.format, applied(changes, value) as T);
    if (isDamaged) copyFileSync(this.path, this.damagedPath);
    return writeFileAtomic(this.path, text);
  }

  private get damagedPath(): string {
    return `${this.path}.damaged`;
  }

  private later(): void {
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.writing ??= this.drain();
    }, ms);
    // A process that has nothing else to do saves once more by `settled`.
    this.retry.unref();
  }
}

/** A file of a newer Sluice stays newer, and a folder that is gone is so for good. */
function isWorthRetrying(error: unknown): boolean {
  if (isNewerStore(error)) return false;
  const { code, details } = error as NodeJS.ErrnoException & {
    readonly details?: { readonly errno?: unknown };
  };
  return code !== 'ENOENT' && details?.errno !== 'ENOENT';
}

function applied<T>(changes: readonly Change<T>[], value: T | undefined): T | undefined {
  return changes.reduce<T | undefined>((current, change) => change(current), value);
}
