import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { DEFAULT_LANGUAGE_SETTINGS } from '../../contract';
import { instructionSet, ModelLibrary } from '../../layering';
import { SessionStore } from '../../vericache';
import { writeZooModel, zooNetwork } from '../../zoo';
import { fuzzRuns, FileReader } from '../test-support/file-reader';

const CONVERSATION = '0f8fad5b-d9cb-469f-a165-70867728950e';

let root: string;
let reader: FileReader;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-fuzz-stores-'));
  reader = new FileReader(root);
});
afterAll(() => {
  reader.close();
  rmSync(root, { recursive: true, force: true });
});

const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const stored = (content: unknown): Uint8Array => text({ version: 1, content });

describe('a damaged store of layers', () => {
  let sound: string;
  beforeAll(async () => {
    const source = join(root, 'cnn.onnx');
    await writeZooModel(zooNetwork('tiny-cnn'), source, { seed: 1, weights: 'inline' });
    const here = { runtimeVersion: 'any', instructionSet: instructionSet() };
    const library = await ModelLibrary.open(join(root, 'data'), here);
    const { signal } = new AbortController();
    await library.import({ sourcePath: source, threads: 1 }, () => undefined, signal);
    sound = library.storePath('cnn');
  });
  beforeEach(() => cpSync(sound, join(reader.folder, 'store'), { recursive: true }));

  it.each([
    ['manifest.json', 'text'],
    ['weights.bin', 'binary'],
    ['layers/0000.onnx', 'binary'],
  ] as const)('%s is run, or refused', async (file, kind) => {
    const whole = readFileSync(join(sound, file));
    await reader.expectAllSound('layer-store', `store/${file}`, whole, kind, fuzzRuns(1 / 3));
  });
});

describe('damaged files of conversations are read, or refused', () => {
  it('text', async () => {
    const conversation = {
      format: 1,
      id: CONVERSATION,
      model: 'm',
      tokens: 3,
      updatedAt: '2026-01-01T00:00:00.000Z',
      settings: DEFAULT_LANGUAGE_SETTINGS,
      messages: [
        {
          id: '1',
          role: 'user',
          pieces: [{ text: 'hello', tokens: 1, origin: 'prompt' }],
          state: 'done',
          at: '2026-01-01T00:00:00.000Z',
        },
      ],
      partial: { sha256: 'a', tokens: [1, 2] },
    };
    const file = `${CONVERSATION}/conversation.json`;
    await reader.expectAllSound('conversation', file, text(conversation), 'text');
  });

  it('facts of a session', async () => {
    const sessions = new SessionStore(join(root, 'sessions'), { nowMs: () => 1 });
    const session = await sessions.create({ title: 't', model: 'm', isTemporary: false });
    await session.close();
    const file = 'session.json';
    await reader.expectAllSound(
      'sessions',
      `sessions/0123456789abcdef/${file}`,
      readFileSync(join(session.folder, file)),
      'text',
    );
  });
});

describe('damaged small files are read, or told about, and left as they are', () => {
  it('what is published', () =>
    reader.expectAllSound(
      'published',
      'published.json',
      stored({
        models: [
          {
            servedAs: 'a',
            model: 'm',
            stable: { version: 2, library: 'a-2' },
            canary: { version: 3, library: 'a-3', sharePct: 5 },
            previous: { version: 1, library: 'a-1' },
          },
        ],
        loose: [{ library: 'a-0', mark: 'x' }],
      }),
      'text',
    ));

  it.each([
    ['endpoints', [{ id: 'a', name: 'a', tier: 'edge', url: 'http://127.0.0.1:8000', tokenKept: true }]],
    [
      'fleet',
      [{ id: 'a', name: 'a', url: 'https://box.lan:8787', hasToken: true, certificateFingerprint: 'AB:CD' }],
    ],
    [
      'pushes',
      [
        {
          id: 'p',
          model: 'm',
          startedMs: 1,
          boxes: [
            {
              box: 'a',
              state: 'failed',
              sentBytes: 1,
              totalBytes: 2,
              error: { code: 'io', message: 'm', details: {} },
            },
          ],
          owner: 'x',
        },
      ],
    ],
    [
      'offload',
      {
        settings: { users: 2, thresholdPct: 85, agent: 'factored', periodMs: 200, explorationCap: 0.1 },
        variants: [{ id: 'd0', model: 'm', title: 't', accuracyPct: 90, source: 's' }],
      },
    ],
  ] as const)('%s', async (name, content) => {
    await reader.expectAllSound(`state ${name}`, `${name}.json`, stored(content), 'text', fuzzRuns(1 / 2));
    expect(await reader.read(`state ${name}`, `${name}.json`, Buffer.from('{'))).toMatchObject({
      error: { code: 'corrupt-store' },
    });
  });
});
