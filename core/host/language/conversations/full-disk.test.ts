import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { LanguageBench } from '../../test-support/language-bench';
import { ScriptedSources } from '../../test-support/scripted-sources';
import { textOf } from './stored-conversation';

const FULL = { code: 'io', message: expect.stringMatching(/the disk is full/) as string };
const PAGE = Buffer.alloc(4096);

let bench: LanguageBench | undefined;
let disk = '';
afterEach(async () => {
  await bench?.close().catch(() => undefined); // its folder is still mounted into
  if (disk !== '') execFileSync('umount', [disk]);
  if (bench) rmSync(bench.folder, { recursive: true, force: true });
});

function fill(): void {
  try {
    for (;;) writeFileSync(join(disk, 'filler'), PAGE, { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

it('on a full disk a reply keeps its text on screen, nothing saved is lost, and with room all goes on', async (context) => {
  const sources = new ScriptedSources();
  bench = await LanguageBench.open(tinyChatModel(), { openSource: sources.open });
  const folder = join(bench.dataDir, 'conversations');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder], { stdio: 'ignore' });
    disk = folder;
  } catch {
    context.skip('a small disk can be mounted by root only');
  }
  const id = await bench.create();
  const before = await bench.ask(id, 'One');

  sources.pauseAfter = 12;
  const ended = bench.messageEnd();
  const begun = bench.event('languageProgress', ({ pieces }) => pieces.length > 0);
  await bench.conversations.send(id, 'Two');
  await begun;
  fill();
  await bench.conversations.stop(id);
  const unsaved = await ended;
  sources.pauseAfter = Infinity;
  expect(unsaved).toMatchObject({ state: 'failed', error: FULL });
  expect(unsaved.error!.message).toMatch(/^This reply was not saved: /);
  expect(textOf(unsaved)).not.toBe('');
  await expect(bench.conversations.retry(id)).rejects.toMatchObject(FULL);
  await expect(bench.conversations.rename(id, 'Full')).rejects.toMatchObject(FULL);
  await expect(bench.conversations.create({ model: 'tiny' })).rejects.toMatchObject(FULL);

  rmSync(join(disk, 'filler'));
  expect(readdirSync(join(folder, id))).toEqual(['conversation.json']);
  const { messages } = await bench.conversations.open(id);
  expect(messages[1]).toEqual(before);
  expect(messages.at(-1)).toMatchObject({ id: unsaved.id, state: 'failed' });
  expect(await bench.retry(id)).toMatchObject({ state: 'done' });
});
