import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TOKEN_ORIGINS } from '../../../contract';
import type { Message } from '../../../contract';
import { openLanguageModel } from '../../../llm';
import type { DecodedToken, LanguageModel } from '../../../llm';
import { tinyChatModel, TURN_BEGIN } from '../../../llm/test-support/tiny-chat-model';
import { OrtEnvironment } from '../../../ort';
import { decodedTokens, wholeText } from './reply-pieces';
import type { WholeText } from './reply-pieces';

let folder: string;
let environment: OrtEnvironment;
let model: LanguageModel;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-pieces-'));
  environment = OrtEnvironment.open({ threads: 1 });
  const file = path.join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel());
  model = await openLanguageModel(file, environment);
});
afterAll(() => {
  model.close();
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

const whole = (tokens: readonly DecodedToken[]): WholeText => wholeText(model.tokenizer, tokens);
const textOf = ({ pieces }: WholeText): string => pieces.map(({ text }) => text).join('');
/** Of the tiny model the first 256 tokens are the bytes. */
const bytesOf = (text: string): DecodedToken[] =>
  [...new TextEncoder().encode(text)].map((token) => ({ token, origin: 'full' }));

/** Bytes, whole letters, marks of turns. */
const tokenList = fc.array(
  fc.record({
    token: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0xe2, 0x82, 0xac, 0x41), fc.constant(TURN_BEGIN)),
    origin: fc.constantFrom(...TOKEN_ORIGINS),
  }),
  { maxLength: 40 },
);

describe('the whole text of a reply that was cut off', () => {
  it('and what is decoded behind it make the text that would have been', () => {
    fc.assert(
      fc.property(tokenList, fc.nat({ max: 40 }), (tokens, at) => {
        const kept = whole(tokens.slice(0, at));
        const rest = tokens.slice(kept.tokens.length).map(({ token }) => token);
        const all = model.tokenizer.decode(tokens.map(({ token }) => token));
        expect(textOf(kept) + model.tokenizer.decode(rest)).toBe(all);
      }),
      { numRuns: 2000 },
    );
  });

  it('lacks no more than the bytes of one letter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat({ max: 100 }), (text, at) => {
        const cut = bytesOf(text).slice(0, at);
        expect(cut.length - whole(cut).tokens.length).toBeLessThanOrEqual(3);
        expect(text.startsWith(textOf(whole(cut)))).toBe(true);
      }),
    );
  });

  it('tells the origins of its tokens, so that they come again as the same pieces', () => {
    fc.assert(
      fc.property(tokenList, (tokens) => {
        const { pieces, tokens: kept } = whole(tokens);
        const message: Message = { id: 'm', role: 'assistant', pieces, state: 'cancelled', at: '' };
        const again = decodedTokens(
          message,
          kept.map(({ token }) => token),
        );
        expect(again?.map(({ token }) => token)).toEqual(kept.map(({ token }) => token));
        expect(whole(again ?? [])).toEqual({ pieces, tokens: again });
      }),
    );
  });

  it.each([
    ['€', 3],
    ['a€', 4],
    ['', 0],
  ])('of %j is all of it', (text, count) => {
    expect(whole(bytesOf(text))).toMatchObject({ tokens: { length: count } });
    expect(textOf(whole(bytesOf(text)))).toBe(text);
  });

  it('leaves out a part of a letter, and says when tokens are not those of a message', () => {
    expect(textOf(whole(bytesOf('a€').slice(0, 3)))).toBe('a');
    const message: Message = { id: 'm', role: 'assistant', pieces: [], state: 'failed', at: '' };
    expect(decodedTokens(message, [1, 2])).toBeUndefined();
  });
});
