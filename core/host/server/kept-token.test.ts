import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { FakeClock } from '../test-support/fake-clock';
import { AccessTokens, hashOf } from './access-tokens';
import { KeptToken } from './kept-token';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'sluice-token-'))));
afterEach(() => rmSync(dataDir, { recursive: true }));

it('is on disk as a hash only, for its owner', async () => {
  const kept = new KeptToken(dataDir);
  expect(kept.read()).toBeUndefined();
  const token = await kept.replace(new FakeClock());
  const text = readFileSync(kept.path, 'utf8');
  expect(text).not.toContain(token);
  expect(JSON.parse(text)).toMatchObject({ version: 1, sha256: hashOf(token) });
  expect(statSync(kept.path).mode & 0o777).toBe(0o600);
});

it('opens the host until another is made, by another process too', async () => {
  const tokens = new AccessTokens([new KeptToken(dataDir).hash]);
  expect(tokens.isEmpty()).toBe(true);
  const first = await new KeptToken(dataDir).replace(new FakeClock());
  expect(tokens.matching(first)).toBe(hashOf(first));
  const second = await new KeptToken(dataDir).replace(new FakeClock());
  expect(tokens.matching(first)).toBeUndefined();
  expect(tokens.matching(second)).toBe(hashOf(second));
  for (const other of ['', hashOf(second), second.slice(1)]) expect(tokens.matching(other)).toBeUndefined();
});

it.each(['', '{}', '{"version":2}', '{"version":1,"sha256":"","createdAt":""}'])(
  'a file that is not ours opens nothing and is told about: %j',
  (text) => {
    const kept = new KeptToken(dataDir);
    mkdirSync(dirname(kept.path), { recursive: true });
    writeFileSync(kept.path, text);
    expect(() => kept.read()).toThrow(/token\.json: expected what "sluice host token" wrote/);
  },
);
