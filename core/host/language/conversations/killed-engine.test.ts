import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Message } from '../../../contract';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { HostProcess } from '../../test-support/host-process';
import { generated, TINY_SETTINGS } from '../../test-support/language-bench';
import { textOf } from './stored-conversation';
import type { StoredConversation } from './stored-conversation';

/** Long enough to be caught in the middle of. */
const SETTINGS = { ...TINY_SETTINGS, maxTokens: 120_000, temperature: 0 };
const MODEL = { contextLength: 131_072 };

let folder: string;
let data: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-killed-'));
  data = join(folder, 'data');
  file = join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel(MODEL));
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hosts: HostProcess[] = [];
async function startHost(): Promise<HostProcess> {
  const host = await HostProcess.start(data);
  hosts.push(host);
  return host;
}

const stored = (id: string): StoredConversation =>
  JSON.parse(
    readFileSync(join(data, 'conversations', id, 'conversation.json'), 'utf8'),
  ) as StoredConversation;
const lastOf = ({ messages }: { readonly messages: readonly Message[] }): Message => messages.at(-1)!;

/** Begins a reply that is still written when some of it is on disk. */
async function begin(host: HostProcess): Promise<string> {
  const { id } = await host.request('language.create', { model: 'tiny', settings: SETTINGS });
  await host.request('language.send', { id, text: 'Tell me everything' });
  await expect.poll(() => textOf(lastOf(stored(id))), { timeout: 20_000 }).not.toBe('');
  return id;
}

describe('an engine that is killed while it writes a reply', () => {
  it('leaves the text that was saved, which the next one goes on with', async () => {
    let host = await startHost();
    await host.request('language.import', { jobId: 'import', path: file, name: 'tiny' });
    const id = await begin(host);
    await host.kill();

    host = await startHost();
    const cut = lastOf(await host.request('language.open', { id }));
    expect(cut).toMatchObject({ state: 'failed', error: { code: 'engine-down' } });
    expect(cut.error!.message).toMatch(/engine stopped/i);
    expect(cut.pieces.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(stored(id).partial!.tokens.length);

    // As much more as makes the whole text short enough to compare.
    const maxTokens = stored(id).partial!.tokens.length + 30;
    const settings = { ...SETTINGS, maxTokens };
    await host.request('language.configure', { id, settings });
    const ended = host.event('message', () => true);
    const { reply } = await host.request('language.retry', { id });
    expect(reply).toMatchObject({ id: cut.id, state: 'running' });
    const { message } = await ended;
    const whole = await generated(file, [{ role: 'user', content: 'Tell me everything' }], settings);
    expect(message).toMatchObject({ state: 'done', finishReason: 'length' });
    expect(textOf(message)).toBe(whole.text);
    expect(whole.text.startsWith(textOf(cut))).toBe(true);
    await host.stop();
    expect(stored(id)).not.toHaveProperty('process');
    expect(stored(id)).not.toHaveProperty('partial');
  });

  it('is told apart from one that goes on beside', async () => {
    const [first, second] = await Promise.all([startHost(), startHost()]);
    const id = await begin(first);
    expect(lastOf(await second.request('language.open', { id }))).toMatchObject({ state: 'running' });
    for (const ask of [
      () => second.request('language.send', { id, text: 'And?' }),
      () => second.request('language.retry', { id }),
      () => second.request('language.stop', { id }),
      () => second.request('language.delete', { id }),
    ]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/Another Sluice .* "Tell me everything"/) as string,
      });
    }
    const renamed = await second.request('language.rename', { id, title: 'Everything' });
    expect(renamed).toMatchObject({ title: 'Everything' });
    const ended = first.event('message', () => true);
    await first.request('language.stop', { id });
    const { message } = await ended;
    expect(message).toMatchObject({ state: 'cancelled' });
    const seen = await second.request('language.open', { id });
    expect(seen).toMatchObject({ title: 'Everything' });
    expect(lastOf(seen)).toEqual(message);
    await second.request('language.delete', { id });
    expect(existsSync(join(data, 'conversations', id))).toBe(false);
  });

  it('stopped by SIGINT saves what it was writing', async () => {
    const host = await startHost();
    const id = await begin(host);
    await host.stop();
    const { messages, partial } = stored(id);
    expect(messages.at(-1)).toMatchObject({ state: 'cancelled', finishReason: 'cancelled' });
    expect(partial!.tokens.length).toBeGreaterThan(0);
  });
});
