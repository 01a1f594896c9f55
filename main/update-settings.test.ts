import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { updateSettings } from './update-settings';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-updates-'));
  file = join(folder, 'updates.json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const URL_OF_FILES = 'https://updates.example/sluice/';
const installed = { platform: 'win32', isPackaged: true } as const;

function settingsOf(
  text: string | undefined,
  env: NodeJS.ProcessEnv = {},
): ReturnType<typeof updateSettings> {
  rmSync(file, { force: true });
  if (text !== undefined) writeFileSync(file, text);
  return updateSettings({ ...installed, env, file });
}

describe('updates are', () => {
  it('off unless a server is named', () => {
    expect(settingsOf(undefined)).toEqual({ off: expect.stringContaining('SLUICE_UPDATE_URL') as string });
    expect(settingsOf(undefined, { SLUICE_UPDATE_URL: '' })).toHaveProperty('off');
  });

  it('on by the settings, or by the environment, which goes first', () => {
    expect(settingsOf(JSON.stringify({ url: URL_OF_FILES }))).toEqual({ url: URL_OF_FILES });
    expect(settingsOf('broken', { SLUICE_UPDATE_URL: URL_OF_FILES })).toEqual({ url: URL_OF_FILES });
    expect(settingsOf('{"url": "http://127.0.0.1:8000/"}')).toEqual({ url: 'http://127.0.0.1:8000/' });
  });

  it.each([
    ['no JSON', 'url: x'],
    ['no url', '{}'],
    ['more than a url', '{"url": "https://a.example/", "channel": "beta"}'],
    ['plain http elsewhere', '{"url": "http://a.example/"}'],
    ['a name that only begins like this machine', '{"url": "http://localhost.example/"}'],
    ['a file', '{"url": "file:///etc/"}'],
    ['no address', '{"url": "here"}'],
  ])('off, saying what is wrong: %s', (_what, text) => {
    expect(settingsOf(text)).toEqual({
      off: expect.stringMatching(/updates\.json: expected .*https/) as string,
    });
  });

  it('off where something else updates Sluice', () => {
    const env = { SLUICE_UPDATE_URL: URL_OF_FILES };
    const of = (isPackaged: boolean, more: NodeJS.ProcessEnv = {}): object =>
      updateSettings({ file, env: { ...env, ...more }, platform: 'linux', isPackaged });
    expect(of(false)).toEqual({ off: expect.stringContaining('git') as string });
    expect(of(true)).toEqual({ off: expect.stringContaining('package manager') as string });
    expect(of(true, { APPIMAGE: '/home/a/Sluice.AppImage' })).toEqual({ url: URL_OF_FILES });
  });
});
