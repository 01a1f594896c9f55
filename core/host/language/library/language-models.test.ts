import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError } from '../../../contract';
import type { Job } from '../../../contract';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { LanguageBench } from '../../test-support/language-bench';
import { uploadFolder } from '../../models/uploads';
import type { PullOptions } from './language-models';

let bench: LanguageBench;
let unwired: LanguageBench;
let pull: (options: PullOptions) => Promise<string>;
beforeAll(async () => {
  bench = await LanguageBench.open(tinyChatModel(), { pullModel: (options) => pull(options) });
  unwired = await LanguageBench.open(tinyChatModel());
});
afterAll(() => Promise.all([bench.close(), unwired.close()]));

const jobs = (): Job[] => bench.told.flatMap(({ event, payload }) => (event === 'job' ? [payload] : []));

describe('language models', () => {
  it('are listed with what a token takes in the cache', () => {
    const [tiny] = bench.language.models.list();
    expect(tiny).toMatchObject({ name: 'tiny', state: 'ready', architecture: 'llama', layers: 3 });
    // 3 layers, 2 kinds, 2 key heads, 32 wide, 4 bytes.
    expect(tiny!.cacheBytesPerToken).toBe(3 * 2 * 2 * 32 * 4);
    expect(tiny).not.toHaveProperty('path');
  });

  it('that were imported before that was written down say 0', async () => {
    await bench.import('older', tinyChatModel());
    const manifest = join(bench.dataDir, 'language', 'older', 'manifest.json');
    const { cacheBytesPerToken: _later, ...older } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<
      string,
      unknown
    >;
    writeFileSync(manifest, JSON.stringify(older));
    const summary = bench.language.models.list().find(({ name }) => name === 'older');
    expect(summary).toMatchObject({ state: 'ready', cacheBytesPerToken: 0 });
    await bench.language.models.remove('older');
  });

  it('come and go with a job and an event, and are verified', async () => {
    const upload = join(uploadFolder(bench.dataDir), 'u', 'Sent.gguf');
    mkdirSync(dirname(upload), { recursive: true });
    writeFileSync(upload, readFileSync(bench.modelFile));
    const told = bench.event('languageModels', (models) => models.length === 2);
    const imported = await bench.language.models.import('sent', { path: upload });
    expect(imported).toMatchObject({ name: 'sent', sourceFile: 'Sent.gguf' });
    expect(await told).toContainEqual(imported);
    expect(existsSync(upload)).toBe(false);
    expect(
      jobs()
        .filter(({ id }) => id === 'sent')
        .at(-1),
    ).toMatchObject({
      kind: 'import',
      subject: 'Sent.gguf',
      state: 'done',
    });

    expect(await bench.language.models.verify('v1', 'sent')).toMatchObject({
      ok: true,
      layersChecked: 3,
      bytesChecked: readFileSync(bench.modelFile).length,
      faults: [],
    });
    const file = join(bench.dataDir, 'language', 'sent', 'model.gguf');
    const bytes = readFileSync(file);
    bytes[bytes.length - 9]! ^= 1;
    rmSync(file);
    writeFileSync(file, bytes);
    const { ok, faults } = await bench.language.models.verify('v2', 'sent');
    expect(ok).toBe(false);
    expect(faults[0]?.problem).toMatch(/expected SHA-256 [0-9a-f]{64}, found/);

    const gone = bench.event('languageModels', (models) => models.length === 1);
    await bench.language.models.remove('sent');
    await gone;
    await expect(bench.language.models.remove('sent')).rejects.toMatchObject({ code: 'not-found' });
    await expect(bench.language.models.verify('v3', 'sent')).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['/no/such.gguf', 'not-found'],
    ['TAKEN', 'conflict'],
  ])('%s is refused, and the job says why', async (path, code) => {
    const importing = bench.language.models.import(`bad ${path}`, {
      path: path === 'TAKEN' ? bench.modelFile : path,
    });
    await expect(importing).rejects.toMatchObject({ code });
    expect(jobs().at(-1)).toMatchObject({ id: `bad ${path}`, state: 'failed', error: { code } });
  });
});

describe('a download', () => {
  it('is a job with progress, that ends as a model', async () => {
    pull = async ({ repository, revision, name, onProgress }) => {
      expect({ repository, revision }).toEqual({ repository: 'o/m', revision: 'main' });
      onProgress('download', 5, 10);
      await bench.import(name!, tinyChatModel());
      return name!;
    };
    const summary = await bench.language.models.pull('p1', {
      repository: 'o/m',
      revision: 'main',
      name: 'pulled',
    });
    expect(summary).toMatchObject({ name: 'pulled', state: 'ready' });
    const told = jobs().filter(({ id }) => id === 'p1');
    expect(told.map(({ phase }) => phase)).toContain('download');
    expect(told.at(-1)).toMatchObject({ kind: 'pull', subject: 'o/m', state: 'done', doneBytes: 5 });
  });

  it('can be cancelled', async () => {
    pull = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new SluiceError('io', 'the connection was closed')));
      });
    const pulling = bench.language.models.pull('p2', { repository: 'o/m' });
    bench.jobs.cancel('p2');
    await expect(pulling).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('is refused by an engine that has none', async () => {
    await expect(unwired.language.models.pull('p3', { repository: 'o/m' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('language.pull') as string,
    });
    expect(unwired.jobs.list().map(({ id }) => id)).not.toContain('p3');
  });
});
