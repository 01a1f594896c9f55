import { z } from 'zod';

import type { LanguageSettings } from '../../../contract';

/** Longer than any context in use. */
const MAX_TOKENS = 1 << 26;
const MAX_TEMPERATURE = 100;
const MAX_NAME = 200;
const MAX_SEED = 0xffff_ffff;

/** Settings as a request or a saved conversation carries them. Which compressors there are is the engine's to say. */
export const languageSettingsSchema: z.ZodType<LanguageSettings> = z.strictObject({
  mode: z.enum(['full', 'vericache', 'lossy']),
  compressor: z.string().min(1).max(100),
  ratio: z.number().min(1.5).max(64),
  budgetBytes: z.number().int().nonnegative(),
  draftLength: z.union([z.number().int().min(1).max(63), z.literal('auto')]),
  promptLookup: z.boolean(),
  /** Conversations from before there were any have none. */
  draftModel: z.string().max(MAX_NAME).default(''),
  maxTokens: z.number().int().min(1).max(MAX_TOKENS),
  temperature: z.number().min(0).max(MAX_TEMPERATURE),
  topP: z.number().gt(0).max(1),
  minP: z.number().min(0).max(1),
  seed: z.number().int().min(0).max(MAX_SEED),
});
