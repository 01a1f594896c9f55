import { z } from 'zod';
import { SluiceError } from '../../contract';

const addedToken = z.looseObject({
  id: z.int().nonnegative(),
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
    vocab: z.record(z.string(), z.int().nonnegative()),
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
