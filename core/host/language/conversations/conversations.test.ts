import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { decodeWire, encodeWire } from '../../../contract';
import type { Message } from '../../../contract';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { generated, LanguageBench, TINY_SETTINGS } from '../../test-support/language-bench';
import { ScriptedSources } from '../../test-support/scripted-sources';
import { textOf } from './stored-conversation';

const sources = new ScriptedSources();
let bench: LanguageBench;
beforeAll(async () => (bench = await LanguageBench.open(tinyChatModel(), { openSource: sources.open })));
afterAll(() => bench.close());

const user = (content: string): { role: 'user'; content: string } => ({ role: 'user', content });
const assistant = (message: Message): { role: 'assistant'; content: string } => ({
  role: 'assistant',
  content: textOf(message),
});

const PAUSE_AFTER = 12;

/** Begins a reply that waits behind its first words until it is stopped. */
async function begin(id: string, text: string): Promise<Message> {
  sources.pauseAfter = PAUSE_AFTER;
  const begun = bench.event('languageProgress', ({ pieces }) => pieces.length > 0);
  const { reply } = await bench.conversations.send(id, text);
  await begun;
  return reply;
}

describe('a reply', () => {
  it('returns at once, is told piece by piece, and is what generate() gives', async () => {
    const id = await bench.create();
    const ended = bench.messageEnd();
    const { question, reply } = await bench.conversations.send(id, 'Hello there');
    expect(question).toMatchObject({ role: 'user', state: 'done', pieces: [{ text: 'Hello there' }] });
    expect(reply).toMatchObject({ role: 'assistant', state: 'running', pieces: [] });
    expect(bench.progress(reply.id)).toEqual([]);

    const message = await ended;
    const expected = await generated(bench.modelFile, [user('Hello there')]);
    expect(textOf(message)).toBe(expected.text);
    expect(message).toMatchObject({ id: reply.id, state: 'done', finishReason: expected.finishReason });
    expect(message.stats).toMatchObject({
      promptTokens: expected.promptTokens,
      reusedTokens: 0,
      generatedTokens: expected.tokens.length,
      acceptance: 0,
      rounds: 0,
    });

    const told = bench.progress(reply.id);
    expect(told.map(({ phase }) => phase.kind)[0]).toBe('loading');
    expect(told.at(-1)?.phase.kind).toBe('generating');
    expect(told.flatMap(({ pieces }) => pieces.map(({ text }) => text)).join('')).toBe(expected.text);
    expect(told.flatMap(({ pieces }) => pieces).every(({ origin }) => origin === 'full')).toBe(true);
    expect(told.at(-1)).toMatchObject({
      memory: { compressedBytes: 0, streamBytes: 0, storedBytes: 0 },
      map: { kept: [0, 0, 0], onDisk: [0, 0, 0] },
    });
    const events = bench.told.map(({ event }) => event);
    expect(events.lastIndexOf('languageProgress')).toBeLessThan(events.lastIndexOf('message'));
  });

  it('reuses the cache for the next question', async () => {
    const id = await bench.create();
    const first = await bench.ask(id, 'One');
    const second = await bench.ask(id, 'Two');
    const turns = [user('One'), assistant(first), user('Two')];
    expect(textOf(second)).toBe((await generated(bench.modelFile, turns)).text);
    expect(second.stats!.reusedTokens).toBeGreaterThanOrEqual(first.stats!.promptTokens);
    expect(second.stats!.reusedTokens).toBeLessThan(second.stats!.promptTokens);
    const { tokens, map } = await bench.conversations.open(id);
    expect(tokens).toBe(second.stats!.promptTokens + second.stats!.generatedTokens);
    expect(map!.tokens).toBeGreaterThanOrEqual(tokens - 1);
  });

  it('of another conversation leaves nothing of the one before in it', async () => {
    const [a, b] = [await bench.create(), await bench.create({}, { system: 'Be brief' })];
    await bench.ask(a, 'One');
    const reply = await bench.ask(b, 'One');
    expect(reply.stats!.reusedTokens).toBe(0);
    expect((await bench.conversations.open(a)).map).toBeUndefined();
    expect((await bench.conversations.open(b)).messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
    ]);
  });

  it('stopped keeps its text, and goes on to the text it would have had', async () => {
    const whole = await generated(bench.modelFile, [user('Stop me')]);
    const id = await bench.create();
    const ended = bench.messageEnd();
    const reply = await begin(id, 'Stop me');
    await bench.conversations.stop(id);
    const stopped = await ended;
    sources.pauseAfter = Infinity;
    expect(stopped).toMatchObject({ id: reply.id, state: 'cancelled', finishReason: 'cancelled' });
    expect(textOf(stopped)).not.toBe('');
    expect(whole.text.startsWith(textOf(stopped))).toBe(true);
    expect(stopped.stats!.generatedTokens).toBe(PAUSE_AFTER + 1);

    const rest = await bench.retry(id);
    expect(rest).toMatchObject({ id: reply.id, state: 'done', finishReason: whole.finishReason });
    expect(textOf(rest)).toBe(whole.text);
    expect(rest.stats!.generatedTokens).toBe(whole.tokens.length);
    expect(rest.stats!.promptTokens).toBe(whole.promptTokens);
    await bench.conversations.stop(id); // nothing to stop is fine
  });

  it('stopped before its first word is written from the beginning', async () => {
    const id = await bench.create();
    await bench.restart(); // so that the model has to be loaded
    const ended = bench.messageEnd();
    await bench.conversations.send(id, 'Never mind');
    await bench.conversations.stop(id);
    expect(await ended).toMatchObject({ state: 'cancelled', finishReason: 'cancelled', pieces: [] });
    const expected = await generated(bench.modelFile, [user('Never mind')]);
    expect(textOf(await bench.retry(id))).toBe(expected.text);
  });

  it('that is done is written again in its place, with the settings of now', async () => {
    const id = await bench.create();
    const first = await bench.ask(id, 'Again');
    await bench.conversations.configure({ id, settings: { ...TINY_SETTINGS, seed: 6 } });
    const again = await bench.retry(id);
    const expected = await generated(bench.modelFile, [user('Again')], { ...TINY_SETTINGS, seed: 6 });
    expect(again.id).not.toBe(first.id);
    expect(textOf(again)).toBe(expected.text);
    const { messages } = await bench.conversations.open(id);
    expect(messages.map((message) => message.id).slice(1)).toEqual([again.id]);
  });

  it('can be opened while it is written: later events go on from what is shown', async () => {
    const id = await bench.create();
    const ended = bench.messageEnd();
    const reply = await begin(id, 'Open me');
    const opened = await bench.conversations.open(id);
    const before = bench.progress(reply.id).length;
    const shown = opened.messages.at(-1)!;
    expect(shown).toMatchObject({ id: reply.id, state: 'running' });
    expect(opened.memory!.residentBytes).toBeGreaterThan(0);
    await bench.conversations.stop(id);
    const message = await ended;
    sources.pauseAfter = Infinity;
    const later = bench.progress(reply.id).slice(before);
    const rest = later.flatMap(({ pieces }) => pieces.map(({ text }) => text)).join('');
    expect(textOf(shown) + rest).toBe(textOf(message));
  });

  it('crosses the wire as it is', () => {
    const language = bench.told.filter(({ event }) =>
      ['languageProgress', 'message', 'conversations', 'languageModels'].includes(event),
    );
    expect(new Set(language.map(({ event }) => event)).size).toBe(4);
    for (const event of language) expect(decodeWire(encodeWire(event))).toStrictEqual(event);
  });
});

describe('after a restart', () => {
  it('conversations are there, and go on with the same text as without', async () => {
    const settings = { temperature: 0.8, topP: 0.9, seed: 11 };
    const [without, across] = [await bench.create(settings), await bench.create(settings)];
    await bench.ask(without, 'What is a sluice?');
    const expected = await bench.ask(without, 'And a weir?');
    await bench.ask(across, 'What is a sluice?');
    await bench.conversations.rename(across, 'Waterworks');
    const before = await bench.conversations.open(across);
    await bench.restart();
    const after = await bench.conversations.open(across);
    const { memory: _memory, map: _map, ...onDisk } = before;
    expect(after).toEqual(onDisk);
    const reply = await bench.ask(across, 'And a weir?');
    expect(textOf(reply)).toBe(textOf(expected));
    expect(reply.stats!.reusedTokens).toBe(0);
    expect((await bench.conversations.list())[0]).toMatchObject({ id: across, title: 'Waterworks' });
  });

  it('a reply that was stopped by it goes on to the text it would have had', async () => {
    const whole = await generated(bench.modelFile, [user('Close')]);
    const id = await bench.create();
    await begin(id, 'Close');
    await bench.restart();
    sources.pauseAfter = Infinity;
    expect((await bench.conversations.open(id)).messages.at(-1)).toMatchObject({ state: 'cancelled' });
    expect(textOf(await bench.retry(id))).toBe(whole.text);
  });
});

describe('the list', () => {
  it('is told when it changes, newest first, with titles, tokens and bytes', async () => {
    const told = bench.event('conversations', (list) => list[0]?.tokens !== 0 && list[0]?.title === 'Why?');
    const id = await bench.create();
    await bench.ask(id, ' Why? ');
    const [newest, ...others] = await told;
    expect(newest).toMatchObject({ id, title: 'Why?', model: 'tiny' });
    expect(newest!.bytes).toBeGreaterThan(500);
    const times = [newest!, ...others].map(({ updatedAt }) => updatedAt);
    expect(times).toEqual([...times].sort().reverse());

    const gone = bench.event('conversations', (list) => !list.some((other) => other.id === id));
    await bench.conversations.delete(id);
    await gone;
    await expect(bench.conversations.open(id)).rejects.toMatchObject({ code: 'not-found' });
  });
});
