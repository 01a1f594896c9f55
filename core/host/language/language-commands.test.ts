import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ErrorCode } from '../../contract';
import { ggufBytes } from '../../llm/test-support/gguf-writer';
import { smolLm2, SMOLLM2_SET_UP_MS } from '../../llm/test-support/smollm2';
import { tinyChatModel, tinyChatModelParts } from '../../llm/test-support/tiny-chat-model';
import { tinyModel } from '../../llm/test-support/tiny-model';
import { writeZooModel, zooNetwork } from '../../zoo';
import { runCli } from '../test-support/run-cli';
import type { CliAnswer } from '../test-support/run-cli';

let folder: string;
let data: string;
let file: string;
const cli = (...args: string[]): Promise<CliAnswer> => runCli(data, args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-language-'));
  data = join(folder, 'data');
  file = join(folder, 'Tiny Chat.gguf');
  writeFileSync(file, tinyChatModel());
  writeFileSync(join(folder, 'cut.gguf'), tinyChatModel().subarray(0, 3000));
  writeFileSync(join(folder, 'page.gguf'), '<html>Not found</html>');
  writeFileSync(join(folder, 'silent.gguf'), tinyModel());
  const { metadata, tensors } = tinyChatModelParts();
  const lacking = tensors.filter(({ name }) => name !== 'blk.2.ffn_up.weight');
  writeFileSync(join(folder, 'lacking.gguf'), ggufBytes({ metadata, tensors: lacking }));
  writeFileSync(join(folder, 'foreign.gguf'), tinyChatModel({ renamed: [300, 'zzz'] }));
  writeFileSync(
    join(folder, 'mamba.gguf'),
    ggufBytes({ metadata: [['general.architecture', 'string', 'mamba']] }),
  );
  await writeZooModel(zooNetwork('tiny-cnn'), join(folder, 'tiny-chat.onnx'), { seed: 1 });
  const imported = await cli('models', 'import', file, '--json');
  expect(imported.json()).toMatchObject({
    name: 'tiny-chat',
    state: 'ready',
    task: { kind: 'language', contextLength: 2048 },
    architecture: 'llama',
    quantisation: 'Q4_1',
    layers: 3,
    hasChatTemplate: true,
    sourceFile: 'Tiny Chat.gguf',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sluice models, of a language model', () => {
  it('lists it after the networks, and tells what is known of it', async () => {
    expect((await cli('models', 'list')).stdout).toMatch(
      /^language model +state .*\ntiny-chat +ready +llama +Q4_1 +3 /,
    );
    expect((await cli('models', 'list', '--json')).json()).toMatchObject([
      { name: 'tiny-chat', task: { kind: 'language' }, fileBytes: statSync(file).size },
    ]);
    expect((await cli('models', 'inspect', 'tiny-chat')).stdout).toMatch(
      /SHA-256 [0-9a-f]{64}\).*\n[\d,]+ parameters in 3 layers, 320 tokens, with a chat template\n$/,
    );
  });

  it('verifies it, names a flipped bit, and does not generate from a cut file', async () => {
    expect(await cli('models', 'import', file, '--name', 'damaged')).toMatchObject({ code: 0 });
    expect(await cli('models', 'verify', 'damaged')).toMatchObject({ code: 0 });
    const stored = join(data, 'language', 'damaged', 'model.gguf');
    const bytes = readFileSync(stored);
    bytes[bytes.length - 100]! ^= 4;
    rmSync(stored); // it may be the very file that was imported
    writeFileSync(stored, bytes);
    const report = await cli('models', 'verify', 'damaged', '--json');
    expect(report.code).toBe(1);
    expect(report.json()).toMatchObject({ ok: false, faults: [{ layer: 'model.gguf' }] });
    writeFileSync(stored, bytes.subarray(0, 5000));
    const generated = await cli('generate', 'damaged', '--prompt', 'Hi', '--json');
    expect(generated.json()).toMatchObject({
      error: { code: 'corrupt-store', message: expect.stringContaining('found 5000') as string },
    });
    expect((await cli('models', 'remove', 'damaged')).stdout).toMatch(/^Removed damaged; 4.88 KiB freed/);
    expect(readdirSync(join(data, 'language'))).toEqual(['tiny-chat']);
  });

  it('leaves the imported file where it was when the model is removed', async () => {
    expect(await cli('models', 'import', file, '--name', 'gone')).toMatchObject({ code: 0 });
    expect((await cli('models', 'remove', 'gone', '--json')).json()).toMatchObject({ removed: 'gone' });
    expect(statSync(file).size).toBeGreaterThan(0);
    expect((await cli('models', 'list', '--json')).stdout).not.toContain('gone');
  });
});

const REPLY = ['generate', 'tiny-chat', '--prompt', 'Hello', '--max-tokens', '20'];
/** The tiny model's greedy text goes round in circles. */
const SAMPLED = [...REPLY, '--temperature', '1', '--seed', '5'];

describe('sluice generate', () => {
  it('gives one document, the same for the library and the file', async () => {
    const answer = await cli(...SAMPLED, '--json');
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.stderr).toMatch(/loading tiny-chat\ngenerating after \d+ tokens/);
    const generated = answer.json();
    expect(generated).toMatchObject({ model: 'tiny-chat', kv: 'full', seed: 5 });
    expect(['end', 'length']).toContain(generated['finishReason']);
    for (const rate of ['tokensPerSec', 'prefillTokensPerSec', 'promptTokens']) {
      expect(generated[rate]).toBeGreaterThan(0);
    }
    const fromFile = (await cli('generate', file, ...SAMPLED.slice(2), '--json')).json();
    expect(fromFile['text']).toBe(generated['text']);
    expect(fromFile['tokens']).toEqual(generated['tokens']);
  });

  it('gives the same text with weights that stream, and says what is the least for them', async () => {
    const whole = (await cli(...SAMPLED, '--json')).json();
    const refused = await cli(...SAMPLED, '--weights-budget', '64KiB', '--json');
    expect(refused.code).toBe(2);
    const { error } = refused.json() as { error: { code: ErrorCode; details: { minimumBytes: number } } };
    expect(error.code).toBe('budget-too-small');
    const { minimumBytes } = error.details;
    const streamed = (await cli(...SAMPLED, '--weights-budget', String(minimumBytes), '--json')).json();
    expect(streamed['tokens']).toEqual(whole['tokens']);
    const weights = streamed['weights'] as Record<string, number>;
    expect(weights).toMatchObject({ budgetBytes: minimumBytes, residentBytes: 0 });
    for (const sum of ['readBytes', 'streamedBytesPerPass', 'ringBytes', 'sessionBytes', 'stallMs']) {
      expect(weights[sum]).toBeGreaterThan(0);
    }
    // It goes with the model.
    expect(readdirSync(join(data, 'language', 'tiny-chat'))).toContain('streamed-weights');
  });

  it('streams the text alone to stdout, up to a stop string', async () => {
    const whole = (await cli(...SAMPLED, '--json')).json()['text'] as string;
    expect((await cli(...SAMPLED)).stdout).toBe(`${whole}\n`);
    const stop = whole.slice(4, 7);
    const stopped = await cli(...SAMPLED, '--stop', 'never there', '--stop', stop);
    expect(stopped.stdout).toBe(`${whole.slice(0, whole.indexOf(stop))}\n`);
    expect(stopped.stderr).toMatch(/at a stop string: \d+ \+ \d+ tokens; prompt [\d.]+ tokens\/s/);
  });

  it('takes the prompt from a file, with the system message and without the template', async () => {
    const prompt = join(folder, 'prompt.txt');
    writeFileSync(prompt, 'Hello');
    const promptTokens = async (...args: string[]): Promise<unknown> =>
      (await cli('generate', 'tiny-chat', '--max-tokens', '1', ...args, '--json')).json()['promptTokens'];
    const plain = (await promptTokens('--prompt', 'Hello')) as number;
    expect(await promptTokens('--prompt', `@${prompt}`)).toBe(plain);
    expect(await promptTokens('--prompt', 'Hello', '--raw')).toBe(5);
    expect(await promptTokens('--prompt', 'Hello', '--system', 'Be kind')).toBeGreaterThan(plain);
  });

  it('gives the same text with a draft model, and says how much of it was proposed', async () => {
    const verified = [...REPLY, '--kv', 'vericache', '--no-lookup', '--json'];
    const plain = (await cli(...REPLY, '--json')).json();
    const answer = await cli(...verified, '--draft-model', file);
    expect(answer.stderr).toMatch(/loading the draft model .*Tiny Chat\.gguf/);
    const drafted = answer.json();
    expect(drafted['tokens']).toEqual(plain['tokens']);
    expect(drafted['proposed']).toBeGreaterThan(0);
    expect(drafted['memory']).toMatchObject({ draftModelBytes: expect.any(Number) as number });
    const without = (await cli(...verified)).json();
    expect(without['proposed']).toBe(0);
    expect(without['memory']).not.toHaveProperty('draftModelBytes');
  });

  it('SIGINT ends it with what there is', async () => {
    const args = ['generate', 'tiny-chat', '--prompt', 'Hi', '--max-tokens', '2000', '--json'];
    const answer = await runCli(data, args, /generating/);
    expect(answer.code).toBe(130);
    expect(answer.json()).toMatchObject({
      finishReason: 'cancelled',
      text: expect.any(String) as string,
      error: { code: 'cancelled' },
    });
  });

  it('SmolLM2 answers', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
    const smol = await smolLm2(test);
    const args = ['--system', '', '--max-tokens', '40'];
    const answer = await cli('generate', smol, '--prompt', 'What is the capital of France?', ...args);
    expect(answer.stdout).toContain('Paris');
  });
});

/** [arguments, exit code, error code, message] */
const BAD: readonly (readonly [readonly string[], number, ErrorCode, RegExp])[] = [
  [['models', 'import', '/no/such.gguf'], 2, 'not-found', /no file \/no\/such\.gguf/],
  [['models', 'import', 'FOLDER/cut.gguf'], 2, 'bad-model', /cut\.gguf is not a usable GGUF file/],
  [['models', 'import', 'FOLDER/page.gguf'], 2, 'bad-model', /HTML/],
  [['models', 'import', 'FOLDER/mamba.gguf'], 1, 'unsupported', /'mamba' can't be run; llama/],
  [
    ['models', 'import', 'FOLDER/lacking.gguf'],
    2,
    'bad-model',
    /'blk\.2\.ffn_up\.weight' \[512, 256\], found none/,
  ],
  [['models', 'import', 'FOLDER/silent.gguf'], 1, 'unsupported', /has no tokenizer/],
  [['models', 'import', 'FOLDER/Tiny Chat.gguf'], 1, 'conflict', /'tiny-chat' already/],
  [['models', 'import', 'FOLDER/tiny-chat.onnx'], 1, 'conflict', /language model 'tiny-chat' already/],
  [['models', 'import', 'FOLDER/cut.gguf', '--replace'], 2, 'bad-input', /are for networks/],
  [['generate', 'nobody', '--prompt', 'x'], 2, 'not-found', /no language model 'nobody'/],
  [['generate', 'FOLDER/none.gguf', '--prompt', 'x'], 2, 'not-found', /none\.gguf/],
  [['generate', 'FOLDER/cut.gguf', '--prompt', 'x'], 2, 'bad-model', /not a usable GGUF file/],
  [['generate', 'tiny-chat'], 2, 'bad-input', /--prompt/],
  [['generate', 'tiny-chat', '--prompt', '@/no/prompt'], 2, 'not-found', /no file \/no\/prompt/],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--kv', 'half'],
    2,
    'bad-input',
    /Allowed choices are full, vericache, lossy/,
  ],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--kv', 'lossy', '--compressor', 'zip'],
    2,
    'not-found',
    /No compressor is called "zip"; there are snapkv/,
  ],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--kv', 'vericache', '--budget', '1MiB'],
    2,
    'budget-too-small',
    /at least .* the budget is 1/,
  ],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--draft-model', 'tiny-chat'],
    2,
    'bad-input',
    /--draft-model is for --kv vericache/,
  ],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--kv', 'vericache', '--draft-model', 'nobody'],
    2,
    'not-found',
    /no language model 'nobody'/,
  ],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--kv', 'vericache', '--draft-model', 'FOLDER/foreign.gguf'],
    2,
    'bad-input',
    /foreign\.gguf can't draft for .*model\.gguf: expected token 300 to be "\w\w", found "zzz"/,
  ],
  [['generate', 'tiny-chat', '--prompt', 'x', '--temperature', '-1'], 2, 'bad-input', /0 or more, found -1/],
  [['generate', 'tiny-chat', '--prompt', 'x', '--raw', '--system', 'y'], 2, 'bad-input', /--system/],
  [['generate', 'tiny-chat', '--prompt', '', '--raw'], 2, 'bad-input', /has no tokens/],
  [
    ['generate', 'tiny-chat', '--prompt', 'x', '--max-tokens', '4000'],
    2,
    'bad-input',
    /\d+ tokens and 4000 to generate; the model's context is 2048. Ask for \d+ tokens or less/,
  ],
];

it.each(BAD)('%j exits with %i, %s', async (args, code, error, message) => {
  const answer = await cli(...args.map((arg) => arg.replace('FOLDER', folder)), '--json');
  expect(answer.json()).toMatchObject({
    error: { code: error, message: expect.stringMatching(message) as string },
  });
  expect(answer.code).toBe(code);
});
