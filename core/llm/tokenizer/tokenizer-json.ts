import { z } from 'zod';
import { SluiceError } from '../../contract';

/** Far above the largest vocabulary in use (262,144). Tables are as long as the highest number: one of 1e9 takes for ever. */
const HIGHEST_TOKEN = (1 << 22) - 1;
const tokenId = z.int().nonnegative().max(HIGHEST_TOKEN);

const addedToken = z.looseObject({
  id: tokenId,
  content: z.string(),
  special: z.boolean().optional(),
  normalized: z.boolean().optional(),
});
const component = z.looseObject({ type: z.string() }).nullish();

/** The parts of a `tokenizer.json` (Hugging Face tokenizers) that Sluice looks into; the rest goes to the library. */
const tokenizerJson = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: component,
  pre_tokenizer: component,
  post_processor: component,
  decoder: component,
  model: z.looseObject({
    type: z.literal('BPE').optional(),
    vocab: z.record(z.string(), tokenId),
    merges: z.array(z.unknown()),
  }),
});
export type TokenizerJson = z.infer<typeof tokenizerJson>;

/** @throws SluiceError `bad-model` naming the file and every field that is wrong. */
export function parseTokenizerJson(file: string, json: unknown): TokenizerJson {
  const parsed = tokenizerJson.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 8).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new SluiceError(
    'bad-model',
    `${file} is not a tokenizer.json of the BPE kind: ${faults.join('; ')}. Unigram and WordPiece can't be used.`,
    { file },
  );
}
