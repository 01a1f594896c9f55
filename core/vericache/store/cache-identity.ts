import { z } from 'zod';
import { SluiceError } from '../../contract';

/** All that the bits of a cache depend on besides its text. Compared letter by letter. */
export const cacheIdentitySchema = z.object({
  /** SHA-256 of the model file, or another name of exactly these weights. */
  weights: z.string().min(1),
  /** ONNX Runtime's version, and the decoder's own where its graphs changed. */
  runtime: z.string().min(1),
  instructionSet: z.string().min(1),
  /** How weights and activations are rounded: `float32`, `packed`, ... */
  precision: z.string().min(1),
});
export type CacheIdentity = z.infer<typeof cacheIdentitySchema>;

const count = (most: number) => z.number().int().min(1).max(most);

export const JOURNAL_VERSION = 1;

/** Layers, heads and tokens: a sum is kept in memory for each block of them. 128 layers of 16 heads fit a million tokens. */
const MOST_HEAD_TOKENS = 2 ** 31;

/** The first record of a journal: whose cache this is, and its layout. */
export const journalHeaderSchema = z.object({
  version: z.literal(JOURNAL_VERSION),
  identity: cacheIdentitySchema,
  shape: z
    .object({
      layers: count(4096),
      kvHeads: count(4096),
      headDim: count(8192),
      capacityTokens: count(2 ** 26),
    })
    .refine(({ layers, kvHeads, capacityTokens }) => layers * kvHeads * capacityTokens <= MOST_HEAD_TOKENS, {
      error: 'more layers, heads and tokens than any model has together',
    }),
});
export type JournalHeader = z.infer<typeof journalHeaderSchema>;

/**
 * A cache is used only where the same text would be computed to the same bits. Its capacity may differ.
 * @throws SluiceError `stale-store` naming all that differs.
 */
export function checkHeader(folder: string, found: JournalHeader, expected: JournalHeader): void {
  const { capacityTokens: _, ...shape } = expected.shape;
  const differences = Object.entries({ ...expected.identity, ...shape }).flatMap(([name, wanted]) => {
    const there = { ...found.identity, ...found.shape }[name as keyof CacheIdentity];
    return there === wanted ? [] : [`${name} ${short(there)} instead of ${short(wanted)}`];
  });
  if (differences.length === 0) return;
  throw new SluiceError(
    'stale-store',
    `The cache in ${folder} was computed with ${differences.join(', ')}: its values would not be those of this model here. ` +
      'Drop the cache and let it be computed again; the conversation itself stays.',
    { folder, differences },
  );
}

/** A hash by its first digits. */
function short(value: string | number): string {
  const text = String(value);
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 12)}...` : text;
}
