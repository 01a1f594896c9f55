import { createRequire } from 'node:module';

/** Whether the tokenizer and template libraries are installed; without them there is nothing to test. */
export const hasTokenizerLibraries = ['@huggingface/tokenizers', '@huggingface/jinja'].every((name) => {
  try {
    return createRequire(import.meta.url).resolve(name) !== '';
  } catch {
    return false;
  }
});
