import { expect, it } from 'vitest';

import { OrtEnvironment } from '../ort';
import { Decoder } from './decoder/decoder';
import { ggufSource } from './gguf/gguf-source';
import { readGguf } from './gguf/read-gguf';
import { ChatTemplate } from './tokenizer/chat-template';
import { Tokenizer } from './tokenizer/tokenizer';
import { smolLm2, SMOLLM2_SET_UP_MS } from './test-support/smollm2';

/** Greedy, by llama.cpp (node-llama-cpp 3.22.1) from the same file. */
const REPLY =
  'Gravity is a fundamental concept in physics that describes the curvature of spacetime caused by the presence of ' +
  "mass. It's a fundamental aspect of the universe that underlies the behavior of objects on Earth. In essence";
/** As the model's own template has it, without the system message it adds. */
const PROMPT = '<|im_start|>user\nWhat is gravity?<|im_end|>\n<|im_start|>assistant\n';

it('SmolLM2 replies as llama.cpp does', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
  const gguf = ggufSource(await readGguf(await smolLm2(test)));
  const tokenizer = new Tokenizer(gguf.tokenizer());
  const rendered = new ChatTemplate(gguf.path, tokenizer.chatTemplate).render(
    [{ role: 'user', content: 'What is gravity?' }],
    tokenizer,
  );
  expect(rendered.endsWith(PROMPT)).toBe(true);
  const environment = OrtEnvironment.open({ threads: 2 });
  const decoder = await Decoder.open(gguf, environment);
  const cache = decoder.createCache(256);
  const stream = tokenizer.stream();
  let text = '';
  let logits = await decoder.forward(tokenizer.encode(PROMPT, { addBos: true }), cache, 1);
  while (text.length < REPLY.length) {
    const token = logits.indexOf(Math.max(...logits));
    text += stream.push(token);
    logits = await decoder.forward([token], cache, 1);
  }
  expect(text).toBe(REPLY);
  cache.release();
  decoder.close();
  environment.close();
});
