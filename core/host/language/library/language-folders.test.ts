import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeTinyChatFolder } from '../../../llm/test-support/tiny-chat-folder';
import { runCli } from '../../test-support/run-cli';
import type { CliAnswer } from '../../test-support/run-cli';

let root: string;
let data: string;
let folder: string;
const cli = (...args: string[]): Promise<CliAnswer> => runCli(data, args);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-folders-'));
  data = join(root, 'data');
  folder = join(root, 'Tiny-0.1B');
  await writeTinyChatFolder(folder, { files: 2 });
  writeFileSync(join(folder, 'README.md'), 'Not part of the model.');
  const imported = await cli('models', 'import', folder, '--json');
  expect(imported.json()).toMatchObject({
    name: 'tiny-0.1b',
    state: 'ready',
    architecture: 'llama',
    quantisation: 'BF16',
    layers: 3,
    hasChatTemplate: true,
    sourceFile: 'Tiny-0.1B',
    path: join(data, 'language', 'tiny-0.1b', 'model'),
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const REPLY = ['--prompt', 'Hello', '--max-tokens', '12', '--temperature', '1', '--seed', '3', '--json'];

describe('a folder as transformers saves a model', () => {
  it('is imported with the files that are read: weights linked, the others copied', async () => {
    const stored = join(data, 'language', 'tiny-0.1b', 'model');
    expect(readdirSync(stored).sort()).toEqual([
      'config.json',
      'model-1-of-2.safetensors',
      'model-2-of-2.safetensors',
      'model.safetensors.index.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const sameFile = (name: string): boolean =>
      statSync(join(stored, name)).ino === statSync(join(folder, name)).ino;
    expect(sameFile('config.json')).toBe(false);
    expect(sameFile('model-1-of-2.safetensors')).toBe(true);
    const inspected = (await cli('models', 'inspect', 'tiny-0.1b')).stdout;
    expect(inspected).toMatch(
      /folder .*model \(6 files, .* SHA-256 [0-9a-f]{64}\), imported from Tiny-0\.1B/,
    );
  });

  it('generates the same from the library and from where it is', async () => {
    const fromLibrary = await cli('generate', 'tiny-0.1b', ...REPLY);
    expect(fromLibrary).toMatchObject({ code: 0 });
    const fromFolder = await cli('generate', folder, ...REPLY);
    expect(fromFolder.json()['tokens']).toEqual(fromLibrary.json()['tokens']);
    expect(fromLibrary.json()['tokens']).toHaveLength(12);
  });

  it('is verified file by file, and removed', async () => {
    expect(await cli('models', 'import', folder, '--name', 'damaged')).toMatchObject({ code: 0 });
    expect((await cli('models', 'verify', 'damaged')).stdout).toMatch(/the checksums match/);
    const config = join(data, 'language', 'damaged', 'model', 'config.json');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('2048', '2047'));
    const report = await cli('models', 'verify', 'damaged', '--json');
    expect(report.code).toBe(1);
    expect(report.json()).toMatchObject({ ok: false, faults: [{ layer: 'config.json' }] });
    writeFileSync(config, `${text} `);
    expect((await cli('generate', 'damaged', ...REPLY)).json()).toMatchObject({
      error: {
        code: 'corrupt-store',
        message: expect.stringMatching(/config.json: expected \d+ bytes/) as string,
      },
    });
    expect(await cli('models', 'remove', 'damaged')).toMatchObject({ code: 0 });
    expect(statSync(join(folder, 'model-1-of-2.safetensors')).nlink).toBe(2);
  });

  it.each([
    ['an empty folder', ['models', 'import', 'ROOT'], 2, /not a usable model folder: expected a config.json/],
    ['a folder of the name', ['models', 'import', 'FOLDER'], 1, /'tiny-0.1b' already/],
    ['no folder', ['generate', 'ROOT/none/', '--prompt', 'x'], 2, /no file .*none.*or of a model's folder/],
  ])('refuses %s', async (_name, args, code, message) => {
    const answer = await cli(
      ...args.map((arg) => arg.replace('ROOT', root).replace('FOLDER', folder)),
      '--json',
    );
    expect(answer.json()).toMatchObject({ error: { message: expect.stringMatching(message) as string } });
    expect(answer.code).toBe(code);
  });
});
