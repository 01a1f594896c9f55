import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RoundRecord } from '../../../contract';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { generated, LanguageBench, TINY_SETTINGS } from '../../test-support/language-bench';
import { ScriptedSources } from '../../test-support/scripted-sources';
import { textOf } from './stored-conversation';

const sources = new ScriptedSources();
let bench: LanguageBench;
beforeAll(async () => {
  bench = await LanguageBench.open(tinyChatModel(), { openSource: sources.open });
});
afterAll(() => bench.close());

const conversationFile = (id: string): string =>
  join(bench.dataDir, 'conversations', id, 'conversation.json');

/** Begins a reply that waits behind its first words until it is stopped. */
async function begin(id: string, text = 'Go on'): Promise<void> {
  sources.pauseAfter = 12;
  const begun = bench.event('languageProgress', ({ pieces }) => pieces.length > 0);
  await bench.conversations.send(id, text);
  await begun;
}

async function stop(id: string): Promise<void> {
  const ended = bench.messageEnd();
  await bench.conversations.stop(id);
  await ended;
  sources.pauseAfter = Infinity;
}

describe('while a reply is written', () => {
  it('another is refused, and so is what would take its ground away', async () => {
    const [id, other] = [await bench.create(), await bench.create()];
    await begin(id, 'Tell me a long story');
    const conflict = (message: RegExp): object => ({
      code: 'conflict',
      message: expect.stringMatching(message) as string,
    });
    const busy = conflict(/A reply is being written in "Tell me a long story"/);
    await expect(bench.conversations.send(other, 'Me too')).rejects.toMatchObject(busy);
    await expect(bench.conversations.retry(id)).rejects.toMatchObject(busy);
    await expect(bench.conversations.delete(id)).rejects.toMatchObject(conflict(/Stop it first/));
    await expect(bench.language.models.remove('tiny')).rejects.toMatchObject(
      conflict(/tiny is writing a reply/),
    );
    expect(bench.budget.state().holders).toMatchObject([{ model: 'tiny', ringBytes: 0 }]);
    await bench.conversations.rename(id, 'Story');
    await stop(id);
    const { title, messages } = await bench.conversations.open(id);
    expect(title).toBe('Story');
    expect(messages.at(-1)).toMatchObject({ state: 'cancelled' });
    expect((await bench.conversations.open(other)).messages).toEqual([]);
  });

  it('its settings act at once where the source can, else on the next reply', async () => {
    const id = await bench.create();
    await begin(id);
    const { opened } = sources;
    sources.configured.length = 0;
    await bench.conversations.configure({ id, settings: { ...TINY_SETTINGS, seed: 77 } });
    expect(sources.configured.map(({ seed }) => seed)).toEqual([77]);
    sources.refusesSettings = true;
    await bench.conversations.configure({ id, settings: { ...TINY_SETTINGS, seed: 78 } });
    sources.refusesSettings = false;
    await stop(id);
    expect(sources.opened).toBe(opened);
    await bench.retry(id);
    expect(sources.opened).toBe(opened + 1);
  });

  it('rounds are told and kept, numbered through', async () => {
    const id = await bench.create();
    const round: RoundRecord = {
      index: 40,
      startMs: 1,
      draftMs: 2,
      swapMs: 0.5,
      verifyMs: 1.5,
      drafted: 8,
      proposed: 2,
      accepted: 6,
      readBytes: 4096,
    };
    await begin(id);
    sources.endRound(round);
    sources.endRound({ ...round, drafted: 4, accepted: 0 });
    await stop(id);
    const reply = (await bench.conversations.open(id)).messages.at(-1)!;
    expect(reply.rounds!.map(({ index }) => index)).toEqual([0, 1]);
    expect(reply.stats).toMatchObject({ rounds: 2, acceptance: 0.5, draftLength: 4 });
    expect(bench.progress(reply.id).flatMap(({ rounds }) => rounds)).toEqual(reply.rounds);
  });
});

describe('settings', () => {
  it('that can not be had are refused at once and change nothing', async () => {
    const id = await bench.create();
    const unknown = { ...TINY_SETTINGS, mode: 'lossy' as const, compressor: 'zip' };
    const notFound = { code: 'not-found', message: expect.stringContaining('zip') as string };
    await expect(bench.conversations.configure({ id, settings: unknown })).rejects.toMatchObject(notFound);
    await expect(bench.conversations.create({ model: 'tiny', settings: unknown })).rejects.toMatchObject(
      notFound,
    );
    await begin(id);
    const settings = { ...TINY_SETTINGS, mode: 'vericache' as const, budgetBytes: 1 };
    // The source that is open has no budget to keep; the next reply's has.
    await bench.conversations.configure({ id, settings });
    await stop(id);
    expect(await bench.retry(id)).toMatchObject({ state: 'failed', error: { code: 'budget-too-small' } });
    await bench.conversations.configure({ id, settings: { ...settings, budgetBytes: 0 } });
    expect(await bench.retry(id)).toMatchObject({ state: 'done' });
    await expect(bench.conversations.configure({ id, settings })).rejects.toMatchObject({
      code: 'budget-too-small',
    });
    expect((await bench.conversations.open(id)).settings.budgetBytes).toBe(0);
  });
});

describe('a reply that can not be written', () => {
  it('because its source fails keeps the text, and goes on with a new one', async () => {
    const id = await bench.create();
    await bench.ask(id, 'Warm');
    await bench.conversations.configure({ id, settings: { ...TINY_SETTINGS, mode: 'lossy' } });
    await bench.conversations.configure({ id, settings: TINY_SETTINGS });
    sources.failAfter = 7;
    const failed = await bench.ask(id, 'Fail');
    sources.failAfter = Infinity;
    expect(failed).toMatchObject({
      state: 'failed',
      error: { code: 'io', message: 'the disk of the cache is gone' },
    });
    expect(failed.stats!.generatedTokens).toBe(7);
    const { messages } = await bench.conversations.open(id);
    expect(messages.at(-1)).toEqual(failed);
    const turns = messages.slice(0, -1).map((message) => ({
      role: message.role as 'user' | 'assistant',
      content: textOf(message),
    }));
    expect(textOf(await bench.retry(id))).toBe((await generated(bench.modelFile, turns)).text);
  });

  it('within its budget says what is needed, and can be asked again with more', async () => {
    const id = await bench.create({ mode: 'vericache', budgetBytes: 1000 });
    const failed = await bench.ask(id, 'Verify');
    expect(failed).toMatchObject({ state: 'failed', pieces: [], error: { code: 'budget-too-small' } });
    expect(failed.error!.message).toMatch(/at least .* the budget is 1000 B/);
    await bench.conversations.configure({ id, settings: { ...TINY_SETTINGS, mode: 'vericache' } });
    expect(await bench.retry(id)).toMatchObject({ state: 'done' });
  });

  it('because the conversation fills the context says how long it is', async () => {
    const id = await bench.create();
    const failed = await bench.ask(id, 'long '.repeat(500));
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'bad-input' } });
    expect(failed.error!.message).toMatch(/has 25\d\d tokens; .*2048.* Start a new conversation/);
    // Near the end a reply is as long as there is room.
    const near = await bench.create({ maxTokens: 2000, temperature: 0 });
    const short = await bench.ask(near, 'a'.repeat(1900));
    expect(['length', 'end']).toContain(short.finishReason);
    expect(short.stats!.promptTokens + short.stats!.generatedTokens).toBeLessThanOrEqual(2048);
  });

  it('because its model is gone, or another of its name', async () => {
    await bench.import('passing', tinyChatModel());
    const id = await bench.create({}, { model: 'passing' });
    const before = await bench.ask(id, 'One');
    await bench.language.models.remove('passing');
    await expect(bench.conversations.send(id, 'Two')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/'passing' is not in the library any more/) as string,
    });
    expect((await bench.conversations.open(id)).messages.at(-1)).toEqual(before);
    await bench.import('passing', tinyChatModel({ seed: 9 }));
    const other = await bench.ask(id, 'Two');
    expect(other).toMatchObject({ state: 'done', stats: { reusedTokens: 0 } });

    const stored = join(bench.dataDir, 'language', 'passing', 'model.gguf');
    rmSync(stored);
    await expect(bench.conversations.send(id, 'Three')).rejects.toMatchObject({ code: 'corrupt-store' });
    await expect(bench.conversations.create({ model: 'passing' })).rejects.toMatchObject({
      code: 'corrupt-store',
    });
    await expect(bench.conversations.create({ model: 'nobody' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('because there is no question', async () => {
    const id = await bench.create({}, { system: 'Be kind' });
    await expect(bench.conversations.retry(id)).rejects.toMatchObject({ code: 'bad-input' });
    expect(await bench.ask(id, 'Now')).toMatchObject({ state: 'done' });
  });

  it('because the budget is smaller than the model', async () => {
    await bench.budget.setLimit(1000);
    await bench.import('second', tinyChatModel());
    const id = await bench.create({}, { model: 'second' });
    expect(await bench.ask(id, 'Fit')).toMatchObject({
      state: 'failed',
      error: { code: 'budget-too-small' },
    });
    await bench.budget.setLimit(0);
    expect(await bench.retry(id)).toMatchObject({ state: 'done' });
  });
});

/** [what the file holds, what the reason names] */
const BROKEN: readonly (readonly [string, RegExp])[] = [
  ['', /conversation\.json is not a saved conversation: .*JSON/],
  ['{"format":1,"mess', /is not a saved conversation: .*JSON/],
  ['null', /content: .*expected object/],
  ['{"format":0}', /format: .*id: .*model: .*and \d+ more/],
  ['ANOTHER', /expected the id .*, found another/],
];

describe('a conversation.json', () => {
  it.each(BROKEN)('that holds %j is listed as broken and takes no other down', async (content, reason) => {
    const [id, other] = [await bench.create(), await bench.create()];
    const sound = readFileSync(conversationFile(id), 'utf8');
    writeFileSync(conversationFile(id), content === 'ANOTHER' ? sound.replace(id, 'another') : content);
    const list = await bench.conversations.list();
    expect(list.find((listed) => listed.id === other)).not.toHaveProperty('brokenReason');
    const broken = list.find((listed) => listed.id === id)!;
    expect(broken).toMatchObject({ title: 'Conversation that can not be read', tokens: 0 });
    expect(broken.brokenReason).toMatch(reason);
    const corrupt = { code: 'corrupt-store', message: broken.brokenReason };
    await expect(bench.conversations.open(id)).rejects.toMatchObject(corrupt);
    await expect(bench.conversations.send(id, 'Hi')).rejects.toMatchObject(corrupt);
    // What there was is still there, for whoever can mend it.
    writeFileSync(conversationFile(id), sound);
    expect(await bench.conversations.open(id)).toMatchObject({ id, messages: [] });
    writeFileSync(conversationFile(id), content);
    await bench.conversations.delete(id);
    expect((await bench.conversations.list()).map((listed) => listed.id)).not.toContain(id);
  });

  it('that is missing is told; other things in the folder are none', async () => {
    const id = await bench.create();
    rmSync(conversationFile(id));
    mkdirSync(join(bench.dataDir, 'conversations', 'notes'));
    const list = await bench.conversations.list();
    expect(list.find((listed) => listed.id === id)?.brokenReason).toMatch(/conversation\.json is missing/);
    expect(list.map((listed) => listed.id)).not.toContain('notes');
    await expect(bench.conversations.open('notes')).rejects.toMatchObject({ code: 'not-found' });
    await expect(bench.conversations.open('../../etc')).rejects.toMatchObject({ code: 'not-found' });
    await bench.conversations.delete(id);
  });

  it('that can not be written: the reply says so, with its text', async () => {
    const id = await bench.create();
    const ended = bench.messageEnd();
    await begin(id);
    rmSync(join(bench.dataDir, 'conversations', id), { recursive: true });
    await stop(id);
    const message = await ended;
    expect(message).toMatchObject({ state: 'failed', error: { code: 'not-found' } });
    expect(message.error!.message).toMatch(/^This reply was not saved: /);
    expect(textOf(message)).not.toBe('');
  });
});
