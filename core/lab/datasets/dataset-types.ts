import { z } from 'zod';

import { SluiceError } from '../../contract';

/** Who asks. */
export interface DatasetUser {
  readonly name: string;
  /** May read hidden parts of what it can see, as owners may of theirs. */
  readonly isEvaluator?: boolean;
}

/** `shared`: everybody reads it; only its owner changes it. */
export type Visibility = 'private' | 'shared';

export interface DatasetVersion {
  /** Counts from 1; that of a removed version does not come back. */
  readonly number: number;
  /** Of its manifest: the version's name everywhere. */
  readonly hash: string;
  /** Of the manifest without hidden parts; the same when there are none. */
  readonly publicHash: string;
  readonly files: number;
  readonly bytes: number;
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
}

export interface Dataset {
  readonly name: string;
  readonly owner: string;
  readonly visibility: Visibility;
  readonly description: string;
  readonly tags: readonly string[];
  readonly createdMs: number;
  /** The newest first. */
  readonly versions: readonly DatasetVersion[];
}

/** What an owner may change; what is absent stays. */
export interface DatasetEdit {
  readonly visibility?: Visibility | undefined;
  readonly description?: string | undefined;
  /** All of them, in place of those before. */
  readonly tags?: readonly string[] | undefined;
}

export const datasetEditSchema = z.strictObject({
  visibility: z.enum(['private', 'shared']).optional(),
  description: z.string().max(10_000).optional(),
  tags: z.array(z.string().trim().min(1).max(100)).max(100).optional(),
});

const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** @throws SluiceError `bad-input`. */
export function checkDatasetName(name: string): void {
  if (NAME.test(name)) return;
  throw new SluiceError(
    'bad-input',
    `Dataset ${JSON.stringify(name.slice(0, 200))}: expected a name of at most 100 lower-case letters, digits, ` +
      'dots, hyphens and underscores, with a letter or digit first.',
  );
}

/**
 * Reads `NAME` or `NAME@VERSION`; a version is a number, the beginning of a hash (8 digits or more) or `latest`.
 * @throws SluiceError `bad-input`.
 */
export function parseDatasetRef(text: string): { readonly name: string; readonly version: string } {
  const at = text.indexOf('@');
  const name = at === -1 ? text : text.slice(0, at);
  checkDatasetName(name);
  return { name, version: at === -1 ? 'latest' : text.slice(at + 1) };
}
