import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { OrtEnvironment } from '../../ort';
import { openLanguageModel, type LanguageModel } from '../language-model';
import { tinyChatModel, TURN_END, type TinyChatModelOptions } from '../test-support/tiny-chat-model';
import { generate, type Generation } from './generate';
import type { ReplyPiece } from './reply-text';

let folder: string;
let environment: OrtEnvironment;
let model: LanguageModel;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-generate-'));
  environment = OrtEnvironment.open({ threads: 2 });
  model = await open({});
});
afterAll(() => {
  model.close();
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
function open(options: TinyChatModelOptions): Promise<LanguageModel> {
  const file = path.join(folder, `${files++}.gguf`);
  writeFileSync(file, tinyChatModel(options));
  return openLanguageModel(file, environment, { maxTokens: 16 });
}

const encode = (text: string): number[] => model.tokenizer.encode(text, { addBos: false });
const PROMPT = 'Once upon a time';
/** Different enough from token to token: the tiny model's greedy text soon goes round in circles. */
const SAMPLING = { temperature: 1, seed: 3 };

/** One pass a token, the best token each time, up to an end token. */
async function greedyNaively(prompt: readonly number[], count: number): Promise<number[]> {
  const { decoder } = model;
  const cache = decoder.createCache(prompt.length + count);
  const found: number[] = [];
  let logits: Float32Array = new Float32Array();
  for (const token of prompt) logits = await decoder.forward([token], cache, 1);
  while (found.length < count && !found.includes(TURN_END)) {
    found.push(logits.indexOf(Math.max(...logits)));
    logits = await decoder.forward(found.slice(-1), cache, 1);
  }
  cache.release();
  return found;
}

const textOf = ({ tokens }: Generation): string => model.tokenizer.decode(tokens);

describe('a reply', () => {
  it('is the same whatever the length of the prompt, greedy, as one token at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), async (text) => {
        const prompt = encode(text);
        const reply = await generate(model, prompt, { maxTokens: 12 });
        expect(reply.tokens).toEqual(await greedyNaively(prompt, 12));
        const finishReason = reply.tokens.includes(TURN_END) ? 'end' : 'length';
        expect(reply).toMatchObject({ finishReason, promptTokens: prompt.length });
        expect(reply.text).toBe(textOf(reply));
      }),
      { numRuns: 15 },
    );
  });

  it('comes again with its seed, and is another with another', async () => {
    const run = (seed: number): Promise<Generation> =>
      generate(model, encode(PROMPT), { maxTokens: 24, sampling: { temperature: 1, topP: 0.95, seed } });
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again.tokens).toEqual(first.tokens);
    expect(again.text).toBe(first.text);
    expect(other.tokens).not.toEqual(first.tokens);
  });

  it('streams whole letters whose pieces make up the text, every token once', async () => {
    const pieces: ReplyPiece[] = [];
    const onPiece = (piece: ReplyPiece): void => void pieces.push(piece);
    const reply = await generate(model, encode(PROMPT), { maxTokens: 60, sampling: SAMPLING, onPiece });
    expect(pieces.map(({ text }) => text).join('')).toBe(reply.text);
    expect(pieces.flatMap(({ tokens }) => tokens.map(({ token }) => token))).toEqual(
      reply.tokens.slice(0, pieces.flatMap(({ tokens }) => tokens.map(({ token }) => token)).length),
    );
    expect(pieces.length).toBeGreaterThan(10);
  });

  it('ends before a stop string, wherever the borders of tokens are', async () => {
    const whole = await generate(model, encode(PROMPT), { maxTokens: 40, sampling: SAMPLING });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 6 }), async (at, length) => {
        const stop = whole.text.slice(at, at + length);
        let shown = '';
        const reply = await generate(model, encode(PROMPT), {
          maxTokens: 40,
          sampling: SAMPLING,
          stop: [stop],
          onPiece: ({ text }) => void (shown += text),
        });
        expect(reply.text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
        expect(shown).toBe(reply.text);
        expect(reply.finishReason).toBe('stop');
        expect(reply.tokens).toEqual(whole.tokens.slice(0, reply.tokens.length));
      }),
      { numRuns: 12 },
    );
  });

  it('ends at an end token, which is no text', async () => {
    const whole = await generate(model, encode(PROMPT), { maxTokens: 20, sampling: SAMPLING });
    const endToken = whole.tokens[9]!;
    const ending = await open({ endToken });
    const reply = await generate(ending, encode(PROMPT), { maxTokens: 20, sampling: SAMPLING });
    ending.close();
    const end = whole.tokens.indexOf(endToken);
    expect(reply.finishReason).toBe('end');
    expect(reply.tokens).toEqual(whole.tokens.slice(0, end + 1));
    expect(reply.text).toBe(model.tokenizer.decode(whole.tokens.slice(0, end)));
  });

  it('keeps what there is when it is cancelled, at any token', async () => {
    const whole = await generate(model, encode(PROMPT), { maxTokens: 20, sampling: SAMPLING });
    for (const count of [1, 2, 7]) {
      const abort = new AbortController();
      let given = 0;
      const reply = await generate(model, encode(PROMPT), {
        maxTokens: 20,
        sampling: SAMPLING,
        signal: abort.signal,
        onPiece: () => {
          if (++given === count) abort.abort();
        },
      });
      expect(reply.finishReason).toBe('cancelled');
      expect(reply.tokens).toEqual(whole.tokens.slice(0, reply.tokens.length));
      expect(reply.tokens.length).toBeLessThan(20);
      expect(whole.text.startsWith(reply.text.replace(/\ufffd$/, ''))).toBe(true);
    }
    const before = await generate(model, encode(PROMPT), { signal: AbortSignal.abort() });
    expect(before).toMatchObject({ finishReason: 'cancelled', tokens: [], text: '', tokensPerSec: 0 });
  });

  it('tells the rates of prompt and reply apart', async () => {
    let nowMs = 0;
    const reply = await generate(model, encode(PROMPT), {
      maxTokens: 5,
      nowMs: () => (nowMs += 500),
    });
    expect(reply).toMatchObject({ prefillMs: 500, decodeMs: 500, prefillTokensPerSec: 32, tokensPerSec: 8 });
  });
});

describe('before any work', () => {
  it.each([
    [0, undefined, /The prompt has no tokens/],
    [
      64,
      undefined,
      /The prompt has 64 tokens and 1 to generate; the model's context is 64. Shorten the prompt to 63/,
    ],
    [60, 5, /60 tokens and 5 to generate; the model's context is 64. Ask for 4 tokens or less, or shorten/],
    [1, 0, /expected a whole number from 1, found 0/],
  ])('a prompt of %i tokens with %s to generate is refused', async (length, maxTokens, message) => {
    const short = await open({ contextLength: 64 });
    const prompt = new Array<number>(length).fill(65);
    const generating = generate(short, prompt, maxTokens === undefined ? {} : { maxTokens });
    await expect(generating).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message) as string,
    });
    short.close();
  });

  it('the rest of the context is the limit where none is set', async () => {
    const short = await open({ contextLength: 64 });
    const reply = await generate(short, new Array<number>(60).fill(65));
    expect(reply.finishReason === 'end' || reply.tokens.length === 4).toBe(true);
    expect(short.tokenizer.endTokens).toEqual(new Set([TURN_END]));
    short.close();
  });
});
