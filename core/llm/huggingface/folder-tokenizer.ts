import { z } from 'zod';

import { badModel, unsupportedModel, type NamedSource } from '../source/model-errors';
import { parseTokenizerJson, type TokenizerJson } from '../tokenizer/tokenizer-json';
import type { TokenizerSource } from '../tokenizer/tokenizer-source';
import { TURN_ENDS } from '../tokenizer/turn-ends';

/** The files a tokenizer is made of, as they were read; undefined where there is none. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: unknown;
  /** tokenizer_config.json */
  readonly tokenizerConfig: unknown;
  /** generation_config.json */
  readonly generationConfig: unknown;
  /** config.json */
  readonly config: unknown;
  /** chat_template.jinja */
  readonly chatTemplate: string | undefined;
}

const tokenText = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const templateText = z.union([
  z.string(),
  z.array(z.looseObject({ name: z.string(), template: z.string() })),
]);
const tokenizerConfigSchema = z.looseObject({
  tokenizer_class: z.string().nullish(),
  bos_token: tokenText,
  eos_token: tokenText,
  add_bos_token: z.boolean().nullish(),
  chat_template: templateText.nullish(),
});
type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;
const tokenIds = z.union([z.int(), z.array(z.int()).max(100)]).nullish();
const endsSchema = z.looseObject({ eos_token_id: tokenIds });

/**
 * The tokenizer of a model's folder.
 * @throws SluiceError `unsupported` (no tokenizer.json, or of a kind that can't be used), `bad-model`.
 */
export function tokenizerOfFolder(source: NamedSource, files: TokenizerFiles): TokenizerSource {
  if (files.tokenizer === undefined) {
    throw unsupportedModel(
      source,
      'there is no tokenizer.json; save the tokenizer again as a fast one (transformers, save_pretrained)',
    );
  }
  const json = parseTokenizerJson(`${source.path}/tokenizer.json`, files.tokenizer);
  const config = parsePart(source, 'tokenizer_config.json', tokenizerConfigSchema, files.tokenizerConfig);
  const bosToken = textOf(config.bos_token);
  const eosToken = textOf(config.eos_token);
  const chatTemplate = files.chatTemplate ?? defaultTemplate(config);
  return {
    file: source.path,
    json: withBosFlag(source, json, config, bosToken),
    ...(bosToken !== undefined && { bosToken }),
    ...(eosToken !== undefined && { eosToken }),
    endTokens: endTokens(source, json, files, eosToken),
    ...(chatTemplate !== undefined && { chatTemplate }),
  };
}

function parsePart<T>(source: NamedSource, name: string, schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw badModel(source, `${name}: ${faults.slice(0, 8).join('; ')}`);
}

function textOf(token: z.infer<typeof tokenText>): string | undefined {
  return typeof token === 'object' && token !== null ? token.content : (token ?? undefined);
}

/** Of several named templates that for plain conversations. */
function defaultTemplate({ chat_template: template }: TokenizerConfig): string | undefined {
  if (!Array.isArray(template)) return template ?? undefined;
  return template.find(({ name }) => name === 'default')?.template;
}

/** generation_config.json has the last word, config.json counts without it (as in transformers). */
function endTokens(
  source: NamedSource,
  json: TokenizerJson,
  files: TokenizerFiles,
  eosToken: string | undefined,
): readonly string[] {
  const generation = parsePart(source, 'generation_config.json', endsSchema, files.generationConfig);
  const config = parsePart(source, 'config.json', endsSchema, files.config);
  const ids = [generation.eos_token_id ?? config.eos_token_id ?? []].flat();
  const named = ids.length === 0 ? [] : idsToTexts(source, json, ids);
  const turnEnds = json.added_tokens.map(({ content }) => content).filter((text) => TURN_ENDS.has(text));
  return [...new Set([...(eosToken === undefined ? [] : [eosToken]), ...named, ...turnEnds])];
}

function idsToTexts(source: NamedSource, json: TokenizerJson, ids: readonly number[]): readonly string[] {
  const wanted = new Set(ids);
  const texts = new Map<number, string>();
  for (const [text, id] of Object.entries(json.model.vocab)) if (wanted.has(id)) texts.set(id, text);
  for (const { id, content } of json.added_tokens) if (wanted.has(id)) texts.set(id, content);
  return ids.map((id) => {
    const text = texts.get(id);
    if (text !== undefined) return text;
    throw badModel(source, `eos_token_id ${id}: tokenizer.json has no such token`);
  });
}

/**
 * The tokenizers of Llama 2 and their kin build what comes before a text from `add_bos_token`; the others do as
 * tokenizer.json says and pass over the flag (tokenization_utils_fast.py, tokenization_llama_fast.py of transformers).
 */
function withBosFlag(
  source: NamedSource,
  json: TokenizerJson,
  { tokenizer_class: kind, add_bos_token: adds }: TokenizerConfig,
  bosToken: string | undefined,
): TokenizerJson {
  if (typeof adds !== 'boolean' || !/^LlamaTokenizer(Fast)?$/.test(kind ?? '')) return json;
  if (!adds) return { ...json, post_processor: null };
  if (bosToken === undefined) {
    throw badModel(source, 'tokenizer_config.json: add_bos_token is set, and no bos_token is named');
  }
  const single = [{ SpecialToken: { id: bosToken, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    ...json,
    post_processor: { type: 'TemplateProcessing', single, pair: single, special_tokens: {} },
  };
}
