import { createHash } from 'node:crypto';

import { badInput } from '../entity-limits';

/** What a row is sorted by. */
export type SortValue = number | string | null;

/** Ties a token to its search: with another filter or order it would point nowhere. */
export function fingerprintOf(search: unknown): string {
  return createHash('sha256').update(JSON.stringify(search)).digest('base64url').slice(0, 12);
}

/** Where a page ended: the last row's sort values, so that rows that come or go elsewhere don't shift the next page. */
export function pageTokenOf(fingerprint: string, last: readonly SortValue[]): string {
  const values = last.map((value) => (typeof value === 'number' ? { n: String(value) } : value));
  return Buffer.from(JSON.stringify([fingerprint, values])).toString('base64url');
}

/** @throws SluiceError `bad-input` for what is no token of this search. */
export function parsePageToken(token: string, fingerprint: string, length: number): readonly SortValue[] {
  const content = parsed(token);
  if (!Array.isArray(content) || content.length !== 2 || !Array.isArray(content[1])) throw notOurs(token);
  if (content[0] !== fingerprint) {
    throw badInput(
      'page_token: expected one of this search, found one of another filter, order or experiments.',
    );
  }
  const values = (content[1] as unknown[]).map((value) => sortValue(value, token));
  if (values.length !== length) throw notOurs(token);
  return values;
}

function sortValue(value: unknown, token: string): SortValue {
  if (value === null || typeof value === 'string') return value;
  const text = (value as { n?: unknown }).n;
  if (typeof text !== 'string') throw notOurs(token);
  return Number(text);
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown;
  } catch {
    return undefined;
  }
}

function notOurs(token: string): Error {
  return badInput(
    `page_token: expected one that a search gave out, found ${JSON.stringify(token.slice(0, 40))}.`,
  );
}
