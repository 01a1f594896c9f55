import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { systemClock } from '../../base';
import { sha256Hex } from '../../storage';
import { ArtifactStore } from '../artifacts/artifact-store';
import { FileReceiver, type SentContent } from './file-receiver';

let folder: string;
let artifacts: ArtifactStore;
let files: FileReceiver;
const CONTENT = 'all of the content';
const sent: SentContent = {
  path: ['1', 'large.bin'],
  bytes: CONTENT.length,
  sha256: sha256Hex(Buffer.from(CONTENT)),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-incoming-'));
  artifacts = await ArtifactStore.open(folder);
  files = await reopened();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function reopened(): Promise<FileReceiver> {
  return FileReceiver.open(join(folder, 'incoming'), artifacts, systemClock);
}

/** @param breaksOff as a connection does. */
async function* parts(text: string, breaksOff = false): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
  if (breaksOff) throw new Error('cut');
}

it('keeps what arrived before a link broke, over a restart too, and goes on from there', async () => {
  await expect(files.take(sent, 0, parts(CONTENT.slice(0, 7), true))).rejects.toThrow('cut');
  files = await reopened();
  expect(await files.receivedOf(sent)).toEqual({ bytes: 7, isDone: false });
  expect(await files.take(sent, 7, parts(CONTENT.slice(7, 9)))).toEqual({ bytes: 9, isDone: false });
  // Some of it again, from another connection.
  expect(await files.take(sent, 4, parts(CONTENT.slice(4)))).toEqual({ bytes: CONTENT.length, isDone: true });
  expect(await text((await artifacts.read(sent.path)).stream())).toBe(CONTENT);
  expect(readdirSync(join(folder, 'incoming'))).toEqual([]);
});

it('takes nothing behind a gap', async () => {
  await expect(files.take(sent, 3, parts('x'))).rejects.toMatchObject({
    code: 'conflict',
    details: { size: 0 },
  });
});

it('begins anew when the whole is not what was announced, and takes no more than was', async () => {
  await expect(files.take(sent, 0, parts(CONTENT.toUpperCase()))).rejects.toThrow(/expected the SHA-256/);
  await expect(files.take(sent, 0, parts(`${CONTENT}!`))).rejects.toThrow(/found more of them/);
  await expect(artifacts.read(sent.path)).rejects.toMatchObject({ code: 'not-found' });
  expect(await files.take(sent, 0, parts(CONTENT))).toMatchObject({ isDone: true });
});

it('gives up what nobody went on with for a week', async () => {
  await files.take(sent, 0, parts('all'));
  const [name] = readdirSync(join(folder, 'incoming'));
  utimesSync(join(folder, 'incoming', name!), 1, 1);
  files = await reopened();
  expect(await files.receivedOf(sent)).toEqual({ bytes: 0, isDone: false });
});
