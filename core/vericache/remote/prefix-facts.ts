import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { isNewerStore, refuseNewer } from '../../contract';
import { ioError } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';
import { cacheIdentitySchema } from '../store/cache-identity';

export const PREFIX_FILE = 'prefix.json';
const HASH = /^[0-9a-f]{64}$/;
const FLOAT_BYTES = 4;
const count = z.number().int().min(1).max(8192);

const PREFIX_VERSION = 1;

export const prefixFactsSchema = z.object({
  version: z.literal(PREFIX_VERSION),
  identity: cacheIdentitySchema,
  shape: z.object({ layers: count, kvHeads: count, headDim: count }),
  /** Of every block, see `blockHashes`. */
  hashes: z.array(z.string().regex(HASH)).min(1),
  createdMs: z.number(),
});
/** What a node knows of a text's beginning whose keys and values it has, beside them. */
export type PrefixFacts = z.infer<typeof prefixFactsSchema>;

/** Keys and values of all its blocks and layers, float32. */
export function prefixBytes({ shape, hashes }: PrefixFacts): number {
  return 2 * shape.layers * shape.kvHeads * shape.headDim * FLOAT_BYTES * hashes.length * BLOCK_TOKENS;
}

/**
 * All that are in a folder, by id; what can't be used is named instead, but for what a newer Sluice keeps there.
 * @throws SluiceError `io`.
 */
export async function readPrefixes(
  folder: string,
): Promise<{ readonly known: ReadonlyMap<string, PrefixFacts>; readonly unusable: readonly string[] }> {
  const known = new Map<string, PrefixFacts>();
  const unusable: string[] = [];
  for (const id of await idsIn(folder)) {
    const facts = await factsOf(join(folder, id, PREFIX_FILE));
    if (facts === 'newer') continue;
    if (facts && facts.hashes.at(-1) === id) known.set(id, facts);
    else unusable.push(id);
  }
  return { known, unusable };
}

async function idsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw ioError(`Can't list ${folder}`, cause);
  });
  return names.filter((name) => HASH.test(name));
}

/** @returns undefined for what is damaged or missing: it can be computed again. */
async function factsOf(path: string): Promise<PrefixFacts | 'newer' | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    refuseNewer(value, 'version', { path, what: 'a kept prefix', known: PREFIX_VERSION });
    return prefixFactsSchema.parse(value);
  } catch (thrown) {
    return isNewerStore(thrown) ? 'newer' : undefined;
  }
}
