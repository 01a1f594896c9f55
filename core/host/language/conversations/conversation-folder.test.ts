import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DEFAULT_LANGUAGE_SETTINGS, SluiceError } from '../../../contract';
import { processMark } from '../../../storage';
import { ConversationFolder } from './conversation-folder';
import type { StoredConversation } from './stored-conversation';

const ID = '00000000-0000-4000-8000-000000000000';
const STORED: StoredConversation = {
  format: 1,
  id: ID,
  model: 'm',
  tokens: 7,
  updatedAt: '2026-01-01T00:00:00.000Z',
  settings: DEFAULT_LANGUAGE_SETTINGS,
  messages: [
    {
      id: 'q',
      role: 'user',
      pieces: [{ text: 'Why? 😀', tokens: 0, origin: 'prompt' }],
      state: 'done',
      at: '',
    },
    { id: 'r', role: 'assistant', pieces: [], state: 'running', at: '' },
  ],
  process: processMark(),
};

let path: string;
let runningHere: string | undefined;
let folder: ConversationFolder;
beforeAll(() => {
  path = mkdtempSync(join(tmpdir(), 'sluice-conversation-'));
  folder = new ConversationFolder(path, ID, () => runningHere);
});
afterAll(() => rmSync(path, { recursive: true, force: true }));

const file = (): string => join(path, 'conversation.json');

describe('the folder of a conversation', () => {
  it('gives back what was written, and a running reply only while it runs', async () => {
    await folder.write(STORED);
    runningHere = 'r';
    expect(await folder.read()).toEqual(STORED);
    runningHere = undefined;
    const { process: _ended, ...rest } = STORED;
    expect(await folder.read()).toMatchObject({
      ...rest,
      messages: [STORED.messages[0], { id: 'r', state: 'failed', error: { code: 'engine-down' } }],
    });
    expect(await folder.read()).not.toHaveProperty('process');
  });

  it('makes changes one after the other, and none when one fails', async () => {
    await folder.write({ ...STORED, tokens: 0 });
    const more = (): Promise<unknown> =>
      folder.change((current) => ({ ...current, tokens: current.tokens + 1 }));
    await Promise.all(Array.from({ length: 10 }, more));
    const refuse = (): never => {
      throw new Error('no');
    };
    await expect(folder.change(refuse)).rejects.toThrow('no');
    expect((await folder.read()).tokens).toBe(10);
    expect(await folder.bytes()).toBe(readFileSync(file()).length);
  });

  it('damaged anywhere is read, or refused as corrupt with its path', async () => {
    const sound = Buffer.from(JSON.stringify(STORED));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: sound.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, bits, isCut) => {
          const damaged = Buffer.from(isCut ? sound.subarray(0, at) : sound);
          if (!isCut) damaged[at]! ^= bits;
          writeFileSync(file(), damaged);
          const read = await folder.read().catch((thrown: unknown) => SluiceError.from(thrown));
          if (!(read instanceof Error)) return;
          expect(read).toMatchObject({ code: 'corrupt-store', details: { id: ID, path: file() } });
          expect(read.message.length).toBeLessThan(1500);
        },
      ),
      { numRuns: 300 },
    );
  });
});
