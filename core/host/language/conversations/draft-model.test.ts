import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LanguageSettings, Message } from '../../../contract';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { generated, LanguageBench, TINY_SETTINGS } from '../../test-support/language-bench';
import { ScriptedSources } from '../../test-support/scripted-sources';
import { textOf } from './stored-conversation';

const sources = new ScriptedSources();
let bench: LanguageBench;
beforeAll(async () => {
  bench = await LanguageBench.open(tinyChatModel(), { openSource: sources.open });
  // It knows the text, and the cache that filters it holds all of a short one.
  await bench.import('draft', tinyChatModel());
  await bench.import('other', tinyChatModel({ seed: 2 }));
  await bench.import('foreign', foreignModel());
});
afterAll(() => bench.close());

const foreignModel = (): Uint8Array => tinyChatModel({ renamed: [300, 'zzz'] });
const DRAFTING: Partial<LanguageSettings> = {
  mode: 'vericache',
  promptLookup: false,
  draftModel: 'draft',
  temperature: 0,
};
const proposedIn = ({ rounds = [] }: Message): number =>
  rounds.reduce((sum, { proposed }) => sum + proposed, 0);
const holders = (): readonly string[] => bench.budget.state().holders.map(({ model }) => model);

async function expected(question: string): Promise<string> {
  const turns = [{ role: 'user' as const, content: question }];
  return (await generated(bench.modelFile, turns, { ...TINY_SETTINGS, temperature: 0 })).text;
}

/** Begins a reply that waits behind its first round until it is stopped. */
async function beginReply(id: string): Promise<void> {
  // The prompt's own token comes before the round's.
  sources.pauseAfter = 2;
  const begun = bench.event('languageProgress', ({ rounds }) => rounds.length > 0);
  await bench.conversations.send(id, 'Go on');
  await begun;
}

describe('a conversation with a draft model', () => {
  it('gets the text it would have had, from proposals, and its memory is told', async () => {
    const id = await bench.create(DRAFTING);
    const message = await bench.ask(id, 'Hello there');
    expect(textOf(message)).toBe(await expected('Hello there'));
    expect(proposedIn(message)).toBeGreaterThan(0);
    const { memory } = await bench.conversations.open(id);
    expect(memory!.draftModelBytes).toBeGreaterThan(100_000);
    expect(holders()).toEqual(['tiny', 'draft']);
    expect(bench.budget.state().holders[1]).toMatchObject({
      activationBytes: memory!.draftModelBytes! - bench.budget.state().holders[1]!.residentBytes,
    });
  });

  it('changes it or does without in mid-reply, at the next round', async () => {
    const id = await bench.create(DRAFTING);
    await beginReply(id);
    const settings = { ...TINY_SETTINGS, ...DRAFTING };
    await bench.conversations.configure({ id, settings: { ...settings, draftModel: 'other' } });
    expect(holders()).toEqual(['tiny']);
    const ended = bench.messageEnd();
    await bench.conversations.stop(id);
    await ended;
    sources.pauseAfter = Infinity;
    const message = await bench.retry(id);
    expect(textOf(message)).toBe(await expected('Go on'));
    expect(holders()).toEqual(['tiny', 'other']);
    await bench.conversations.configure({ id, settings: { ...settings, draftModel: '' } });
    expect(holders()).toEqual(['tiny']);
    expect((await bench.conversations.open(id)).memory).not.toHaveProperty('draftModelBytes');
  });

  it('refuses one of another vocabulary, and goes on as it was', async () => {
    const id = await bench.create(DRAFTING);
    const settings = { ...TINY_SETTINGS, ...DRAFTING, draftModel: 'foreign' };
    const refusal = {
      code: 'bad-input',
      message: expect.stringMatching(
        /^foreign can't draft for tiny: expected token 300 to be "\w\w", found "zzz"\. Choose/,
      ) as string,
    };
    await expect(bench.conversations.configure({ id, settings })).rejects.toMatchObject(refusal);
    await expect(bench.create(settings)).rejects.toMatchObject(refusal);
    expect((await bench.conversations.open(id)).settings.draftModel).toBe('draft');
    expect(textOf(await bench.ask(id, 'Still there?'))).toBe(await expected('Still there?'));
  });

  it('fails a reply when it is gone or has become another, and goes on without it', async () => {
    await bench.import('leaving', tinyChatModel());
    const id = await bench.create({ ...DRAFTING, draftModel: 'leaving' });
    await bench.ask(id, 'One');
    expect(holders()).toEqual(['tiny', 'leaving']);
    await bench.language.models.remove('leaving');
    expect(holders()).toEqual(['tiny']);
    expect(await bench.ask(id, 'Two')).toMatchObject({
      state: 'failed',
      error: {
        code: 'not-found',
        message: expect.stringMatching(/'leaving' is not in the library/) as string,
      },
    });
    await bench.import('leaving', foreignModel());
    expect(await bench.retry(id)).toMatchObject({
      state: 'failed',
      error: { code: 'bad-input', message: expect.stringMatching(/expected token 300/) as string },
    });
    expect(holders()).toEqual(['tiny']);
    const settings = { ...TINY_SETTINGS, ...DRAFTING, draftModel: '' };
    await bench.conversations.configure({ id, settings });
    expect(await bench.retry(id)).toMatchObject({ state: 'done' });
  });

  it('keeps it while a reply is written', async () => {
    const id = await bench.create(DRAFTING);
    await beginReply(id);
    await expect(bench.language.models.remove('draft')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/draft drafts for a reply/) as string,
    });
    const ended = bench.messageEnd();
    await bench.conversations.stop(id);
    await ended;
    sources.pauseAfter = Infinity;
  });

  it('is none in conversations saved before there were any', async () => {
    const id = await bench.create();
    const file = join(bench.dataDir, 'conversations', id, 'conversation.json');
    const { settings, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as { settings: LanguageSettings };
    const { draftModel: _none, ...before } = settings;
    writeFileSync(file, JSON.stringify({ ...rest, settings: before }));
    expect((await bench.conversations.open(id)).settings).toEqual({ ...before, draftModel: '' });
  });
});
