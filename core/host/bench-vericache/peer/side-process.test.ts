import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { generate, openLanguageModel } from '../../../llm';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { OrtEnvironment } from '../../../ort';
import { SideClient } from './side-client';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-peer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PROMPT = [10, 20, 30, 40, 50];
const NEW_TOKENS = 6;

async function tokensOf(client: SideClient): Promise<(readonly number[])[]> {
  try {
    await client.open({
      ggufPath: path.join(folder, 'tiny.gguf'),
      exportFolder: path.join(folder, 'exported'),
      packageFolder: folder,
      precision: 'packed',
      threads: 1,
    });
    await client.prefill(PROMPT, NEW_TOKENS);
    const bursts = [await client.decode(NEW_TOKENS), await client.decode(NEW_TOKENS)];
    for (const { rssBytes } of bursts) expect(rssBytes).toBeGreaterThan(0);
    return bursts.map(({ tokens }) => tokens);
  } finally {
    await client.end();
  }
}

it("Sluice's side goes on from its prompt every time as generation does, after the token it does not time", async () => {
  const file = path.join(folder, 'tiny.gguf');
  // No byte that a greedy reply comes to ends it.
  writeFileSync(file, tinyChatModel({ endToken: 0 }));
  const environment = OrtEnvironment.open({ threads: 1 });
  const model = await openLanguageModel(file, environment);
  const { tokens } = await generate(model, PROMPT, { maxTokens: NEW_TOKENS + 2 });
  model.close();
  environment.close();
  const expected = tokens.slice(2);
  expect(expected).toHaveLength(NEW_TOKENS);
  expect(await tokensOf(SideClient.start('sluice'))).toEqual([expected, expected]);
});

it("transformers.js' side asks the library for a token more than it times", async () => {
  const library = path.join(folder, 'node_modules', '@huggingface', 'transformers');
  mkdirSync(library, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{}');
  writeFileSync(path.join(library, 'index.js'), COUNTING_LIBRARY);
  const counted = Array.from({ length: NEW_TOKENS }, (_, index) => 53 + index);
  expect(await tokensOf(SideClient.start('transformers.js'))).toEqual([counted, counted]);
});

/** Stands for the library: its model counts on from the last token, and remembers how much of the prompt it has seen. */
const COUNTING_LIBRARY = `
class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
class DynamicCache { constructor(entries) { Object.assign(this, entries); } }
const model = {
  async generate({ inputs, max_new_tokens, past_key_values, streamer, return_dict_in_generate }) {
    if (past_key_values && past_key_values.seen !== 5) throw new Error('not the cache of the prompt');
    if (past_key_values) past_key_values.seen += max_new_tokens;
    const tokens = [...inputs.data];
    streamer?.put([tokens]);
    for (let count = 0; count < max_new_tokens; count += 1) {
      tokens.push(tokens.at(-1) + 1n);
      streamer?.put([[tokens.at(-1)]]);
    }
    streamer?.end();
    const sequences = new Tensor('int64', BigInt64Array.from(tokens), [1, tokens.length]);
    return return_dict_in_generate ? { sequences, past_key_values: new DynamicCache({ seen: 5 }) } : sequences;
  },
};
const AutoModelForCausalLM = {
  async from_pretrained(name, { dtype, session_options }) {
    if (name !== 'exported' || dtype !== 'q4' || session_options.intraOpNumThreads !== 1) throw new Error('other options');
    return model;
  },
};
module.exports = { env: {}, AutoModelForCausalLM, Tensor, DynamicCache };
`;
