import { z } from 'zod';

import { newerStore } from '../contract';

/** What a file holds, and how older ones become it. */
export interface StoreFormat<T> {
  readonly what: string;
  /** From 1. */
  readonly version: number;
  readonly schema: z.ZodType<T>;
  /**
   * By version, what makes content of the version before into it. Version 1 is what files held before they told their
   * version, unless it says otherwise.
   */
  readonly upgrades?: Readonly<Record<number, (content: unknown) => unknown>>;
}

const envelope = z.object({ version: z.int().min(1), content: z.unknown() });

/** The text of a file: its version, and its content beside it. */
export function storedText<T>({ version }: Pick<StoreFormat<T>, 'version'>, content: T): string {
  return JSON.stringify({ version, content });
}

/**
 * What a file holds, brought up to date; the file itself is not written.
 * @throws SluiceError `unsupported` for a newer version; SyntaxError and ZodError for what is none of ours.
 */
export function parseStored<T>(format: StoreFormat<T>, path: string, text: string): T {
  const value: unknown = JSON.parse(text);
  const { what, version: known, schema, upgrades = {} } = format;
  const told = envelope.safeParse(value);
  // Files of Sluice before 0.2 are their content.
  const found = told.success ? told.data.version : 0;
  if (found > known) throw newerStore({ path, what, found, known });
  let content = told.success ? told.data.content : value;
  for (let version = found + 1; version <= known; version += 1) {
    content = upgrades[version]?.(content) ?? content;
  }
  return schema.parse(content);
}
