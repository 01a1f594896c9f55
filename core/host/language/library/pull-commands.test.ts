import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { cutAfter, FakeHub, sha256 } from '../../../llm/test-support/fake-hub';
import { ggufBytes } from '../../../llm/test-support/gguf-writer';
import { writeTinyChatFolder } from '../../../llm/test-support/tiny-chat-folder';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { runCli, type CliAnswer } from '../../test-support/run-cli';

let hub: FakeHub;
let root: string;
let data: string;
const MODEL = tinyChatModel();
const pull = (...args: string[]): Promise<CliAnswer> =>
  runCli(data, ['models', 'pull', hub.repo, '--hub', hub.url, ...args]);
const downloads = (): string => join(data, 'downloads', 'acme--Tiny-GGUF');

beforeAll(async () => {
  hub = await FakeHub.start();
  root = mkdtempSync(join(tmpdir(), 'sluice-pull-'));
  data = join(root, 'data');
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});
afterEach(() => {
  hub.reset();
  rmSync(data, { recursive: true, force: true });
});

describe('sluice models pull', () => {
  it('downloads a GGUF file into the library', async () => {
    hub.add('Tiny.Q8_0.gguf', 'not wanted', { lfs: true });
    hub.add('Tiny.Q4_1.gguf', MODEL, { lfs: true });
    const answer = await pull('--name', 'tiny', '--json');
    expect(answer.stderr).toMatch(
      /pulling Tiny\.Q4_1\.gguf \(the only one of 2 GGUF files in Q4_0, Q4_1, Q4_K_M; --file chooses another\) at 0123456789ab as tiny\n/,
    );
    expect(answer.stderr).toMatch(/Tiny\.Q4_1\.gguf: 100%, 1024 KiB of 1024 KiB/);
    expect(answer.json()).toMatchObject({
      name: 'tiny',
      state: 'ready',
      sha256: sha256(MODEL),
      sourceFile: 'acme/Tiny-GGUF@0123456789ab/Tiny.Q4_1.gguf',
      pulled: {
        repo: 'acme/Tiny-GGUF',
        revision: hub.commit,
        kind: 'gguf',
        file: 'Tiny.Q4_1.gguf',
        reason: expect.any(String) as string,
        files: [{ path: 'Tiny.Q4_1.gguf', bytes: MODEL.length, sha256: sha256(MODEL) }],
      },
    });
    expect(existsSync(join(data, 'downloads'))).toBe(false);
    const reply = await runCli(data, ['generate', 'tiny', '--prompt', 'Hi', '--max-tokens', '3', '--json']);
    expect(reply.json()).toMatchObject({ model: 'tiny' });
  });

  it('downloads a folder into the library', async () => {
    const folder = join(root, 'folder');
    await writeTinyChatFolder(folder, { files: 2 });
    hub.repo = 'acme/Tiny-0.1B';
    for (const name of readdirSync(folder)) {
      hub.add(name, readFileSync(join(folder, name)), { lfs: name.endsWith('.safetensors') });
    }
    const answer = await pull();
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.stdout).toMatch(/tiny-0\.1b +ready +llama +BF16 .*\nPulled [\d.]+ MiB in 6 files\.\n$/);
    expect(await runCli(data, ['models', 'verify', 'tiny-0.1b'])).toMatchObject({ code: 0 });
  });

  it('cancelled by Ctrl-C goes on where it was', async () => {
    hub.add('Tiny.gguf', MODEL, { lfs: true });
    // Half of it comes, and then nothing.
    hub.faults.cdn.push((_request, response) => {
      response.writeHead(200, { etag: '"1"', 'content-length': String(MODEL.length) });
      response.write(MODEL.subarray(0, MODEL.length >> 1));
    });
    const args = ['models', 'pull', hub.repo, '--hub', hub.url];
    const cancelled = await runCli(data, args, /Tiny\.gguf: [1-5]\d%/);
    expect(cancelled.code).toBe(130);
    expect(cancelled.stderr).toMatch(/What came is kept in .*; the same command goes on from there/);
    expect(readdirSync(downloads()).sort()).toEqual(['Tiny.gguf.download.json', 'Tiny.gguf.part']);
    hub.requests.length = 0;
    expect(await pull()).toMatchObject({ code: 0 });
    const ranges = hub.requests.filter(({ host }) => host === 'cdn').map(({ range }) => range);
    expect(ranges).toEqual([expect.stringMatching(/^bytes=\d{4,}-$/)]);
  });

  it('tells of a connection that broke, and goes on', async () => {
    hub.add('Tiny.gguf', MODEL, { lfs: true });
    hub.faults.cdn.push(cutAfter(1000));
    const answer = await pull();
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.stderr).toMatch(/The connection to 127.0.0.1:\d+ failed: .* Trying again in 1 s\./);
  });

  it('sends a token only when it is told which, and never to the CDN', async () => {
    hub.token = 'secret';
    hub.add('Tiny.gguf', MODEL, { lfs: true });
    process.env['HF_TOKEN'] = 'secret';
    process.env['TINY_TOKEN'] = 'secret';
    const without = await pull('--json');
    expect(without.json()).toMatchObject({ error: { code: 'unauthorized' } });
    expect(hub.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(await pull('--token-env', 'TINY_TOKEN')).toMatchObject({ code: 0 });
    process.env['HF_ENDPOINT'] = hub.url;
    const named = await runCli(data, ['models', 'pull', hub.repo, '--name', 'again', '--json']);
    delete process.env['HF_ENDPOINT'];
    delete process.env['HF_TOKEN'];
    delete process.env['TINY_TOKEN'];
    expect(named.json()).toMatchObject({ name: 'again' });
    expect(hub.requests.filter(({ host, authorization }) => host === 'cdn' && authorization)).toEqual([]);
  });

  it('keeps nothing of a model that can not be run', async () => {
    hub.add('Tiny.gguf', ggufBytes({ metadata: [['general.architecture', 'string', 'mamba']] }), {
      lfs: true,
    });
    const answer = await pull('--json');
    expect(answer.json()).toMatchObject({ error: { code: 'unsupported' } });
    expect(existsSync(join(data, 'downloads'))).toBe(false);
  });

  it.each([
    ['a name that is taken', ['--name', 'taken'], 1, 'conflict', /'taken' already/],
    ['a name that is none', ['--name', '../x'], 2, 'bad-input', /can't be a model's name/],
    ['several files', [], 2, 'bad-input', /has several models. Choose one with --file:\n {2}a.gguf/],
    ['no such file', ['--file', 'c.gguf'], 2, 'not-found', /no file c.gguf/],
    ['no such variable', ['--token-env', 'NOT_THERE'], 2, 'bad-input', /NOT_THERE: .* found nothing/],
    ['no such hub', ['--hub', 'nowhere'], 2, 'bad-input', /'nowhere' can't be a hub/],
  ])('refuses %s before it downloads', async (_name, args, exitCode, code, message) => {
    mkdirSync(join(data, 'language', 'taken'), { recursive: true });
    writeFileSync(join(data, 'language', 'taken', 'manifest.json'), '{}');
    hub.add('a.gguf', MODEL, { lfs: true });
    if (!args.includes('--name')) hub.add('b.gguf', MODEL, { lfs: true });
    const answer = await pull(...args, '--json');
    expect(answer.json()).toMatchObject({
      error: { code, message: expect.stringMatching(message) as string },
    });
    expect(answer.code).toBe(exitCode);
    expect(hub.requests.filter(({ host }) => host === 'cdn')).toEqual([]);
    expect(existsSync(join(data, 'downloads'))).toBe(false);
  });

  it('on a disk that fills up says so, and goes on once there is room', async (test) => {
    const disk = join(root, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=72m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return test.skip('mounting a small disk needs root');
    }
    try {
      hub.add('Tiny.gguf', MODEL, { lfs: true });
      const filler = join(disk, 'filler');
      // There is room when it begins; then somebody else takes it.
      hub.faults.cdn.push((_request, response) => {
        writeFileSync(filler, new Uint8Array(71 << 20));
        response.writeHead(200, { 'content-length': String(MODEL.length) }).end(MODEL);
      });
      const args = ['models', 'pull', hub.repo, '--hub', hub.url, '--data-dir', join(disk, 'data'), '--json'];
      const full = await runCli(data, args);
      expect(full.json()).toMatchObject({
        error: { code: 'io', message: expect.stringMatching(/Tiny.gguf.part: the disk is full/) as string },
      });
      rmSync(filler);
      expect((await runCli(data, args)).json()).toMatchObject({ name: 'tiny', state: 'ready' });
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
