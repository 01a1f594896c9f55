import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { answer, cutAfter, flipped, sha256, type FakeHub, type Fault } from '../test-support/fake-hub';
import { CONTENT, PullRig } from '../test-support/pull-rig';
import { writeTinyChatFolder } from '../test-support/tiny-chat-folder';
import type { PullProgress } from './pull-files';

let rig: PullRig;
let hub: FakeHub;
beforeAll(async () => {
  rig = await PullRig.start();
  ({ hub } = rig);
});
afterAll(() => rig.close());
afterEach(() => rig.reset());

describe('a pull', () => {
  it('gets the GGUF file from where the hub sends it, with its checksum compared', async () => {
    hub.add('README.md', '# Tiny');
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.add('.gitattributes', 'x');
    const seen: PullProgress[] = [];
    const pulled = await rig.pull({ onProgress: (progress) => seen.push(progress) });
    expect(pulled).toMatchObject({
      kind: 'gguf',
      file: 'tiny.gguf',
      repo: { id: hub.repo, revision: hub.commit },
    });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(pulled.files).toEqual([{ path: 'tiny.gguf', bytes: CONTENT.length, sha256: sha256(CONTENT) }]);
    expect(seen.at(-1)).toEqual({ path: 'tiny.gguf', doneBytes: CONTENT.length, totalBytes: CONTENT.length });
    expect(readdirSync(path.dirname(pulled.path)).sort()).toEqual(['tiny.gguf', 'tiny.gguf.download.json']);
  });

  it('gets the files of a folder, the small ones first', async () => {
    const folder = rig.fresh();
    await writeTinyChatFolder(folder, { files: 2 });
    for (const name of readdirSync(folder)) {
      hub.add(name, readFileSync(path.join(folder, name)), { lfs: name.endsWith('.safetensors') });
    }
    hub.add('pytorch_model.bin', 'not wanted', { lfs: true });
    hub.add('onnx/model.onnx', 'not wanted', { lfs: true });
    const pulled = await rig.pull();
    expect(pulled.kind).toBe('folder');
    for (const name of readdirSync(folder)) {
      expect(readFileSync(path.join(pulled.path, name)).equals(readFileSync(path.join(folder, name)))).toBe(
        true,
      );
    }
    expect(hub.requests.flatMap(({ host, path: at }) => (host === 'cdn' ? [at] : []))).toEqual([
      '/blobs/model-1-of-2.safetensors',
      '/blobs/model-2-of-2.safetensors',
    ]);
    expect(existsSync(path.join(pulled.path, 'pytorch_model.bin'))).toBe(false);
  });

  it('of a folder that can not be run ends before its weights', async () => {
    hub.add('config.json', JSON.stringify({ architectures: ['FalconForCausalLM'] }));
    hub.add('tokenizer.json', '{}');
    hub.add('model.safetensors', CONTENT, { lfs: true });
    await expect(rig.pull()).rejects.toThrow(/'FalconForCausalLM' can't be run/);
    expect(rig.cdnRequests()).toEqual([]);
  });

  it('sends the token to the hub, and to no other host', async () => {
    hub.token = 'secret';
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    await rig.pull({ token: 'secret' });
    const by = (host: string): unknown[] =>
      hub.requests.filter((request) => request.host === host).map(({ authorization }) => authorization);
    expect(new Set(by('hub'))).toEqual(new Set(['Bearer secret']));
    expect(by('cdn')).toEqual([undefined]);
  });

  it('asks for the commit it listed, in pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'tiny.gguf']) hub.add(name, CONTENT);
    await rig.pull({ revision: 'main' });
    const paths = hub.requests.map(({ path: at }) => at);
    expect(paths.filter((at) => at.includes('/tree/'))).toHaveLength(3);
    expect(paths.at(-1)).toBe(`/${hub.repo}/resolve/${hub.commit}/tiny.gguf`);
  });

  it('gets a file that stands in the repository, with its git checksum compared', async () => {
    hub.add('deep/er/tiny.gguf', CONTENT);
    const pulled = await rig.pull();
    expect(pulled.path.endsWith(path.join('deep', 'er', 'tiny.gguf'))).toBe(true);
    hub.faults.resolve.push(flipped);
    await expect(rig.pull()).rejects.toThrow(
      /gave other bytes for deep\/er\/tiny.gguf .*: expected git SHA-1 /,
    );
  });
});

describe('a connection that breaks', () => {
  it.each<readonly [string, readonly number[], readonly unknown[]]>([
    [
      'in the middle',
      [100_000],
      [
        [undefined, false],
        ['bytes=100000-', true],
      ],
    ],
    [
      'again and again',
      [10, 0, 0, 5],
      [
        [undefined, false],
        ['bytes=10-', true],
        ['bytes=10-', true],
        ['bytes=10-', true],
        ['bytes=15-', true],
      ],
    ],
  ])('%s is gone on from', async (_name, cuts, requests) => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.faults.cdn.push(...cuts.map((bytes) => hub.cutOnce(bytes)));
    const pulled = await rig.pull();
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(rig.cdnRequests()).toEqual(requests);
  });

  it('without end is given up, after pauses that double, and gone on from by the next pull', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.faults.cdn.push(hub.cutOnce(1000), ...Array.from({ length: 8 }, () => hub.cutOnce(0)));
    const folder = rig.fresh();
    await expect(rig.pull({ folder })).rejects.toMatchObject({ code: 'unavailable' });
    expect(rig.pausesMs).toEqual([500, 1000, 2000, 4000, 8000, 16_000].slice(0, rig.pausesMs.length));
    expect(rig.pausesMs).toHaveLength(6);
    hub.faults.cdn.length = 0;
    hub.requests.length = 0;
    const pulled = await rig.pull({ folder });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(rig.cdnRequests()).toEqual([['bytes=1000-', true]]);
  });

  it('anywhere, any number of times, gives the same file', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(CONTENT.length), { maxLength: 5 }), async (cuts) => {
        hub.faults.cdn.push(...cuts.map((bytes) => hub.cutOnce(bytes)));
        const pulled = await rig.pull();
        hub.faults.cdn.length = 0;
        expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a pull that was broken off', () => {
  const broken = async (): Promise<string> => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    const abort = new AbortController();
    const folder = rig.fresh();
    hub.faults.cdn.push((request, response, file) => {
      cutAfter(120_000)(request, response, file);
      abort.abort();
    });
    await expect(rig.pull({ folder, signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    writeFileSync(path.join(folder, 'tiny.gguf.part'), CONTENT.subarray(0, 120_000));
    hub.requests.length = 0;
    return folder;
  };

  it('goes on where it was', async () => {
    const folder = await broken();
    const seen: number[] = [];
    const pulled = await rig.pull({ folder, onProgress: ({ doneBytes }) => seen.push(doneBytes) });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(rig.cdnRequests()).toEqual([['bytes=120000-', expect.any(Boolean)]]);
    expect(seen[0]).toBe(120_000);
  });

  it('begins anew when the file changed', async () => {
    const folder = await broken();
    const changed = CONTENT.map((value) => value ^ 5);
    hub.add('tiny.gguf', changed, { lfs: true });
    const pulled = await rig.pull({ folder });
    expect(readFileSync(pulled.path).equals(changed)).toBe(true);
    expect(rig.cdnRequests()).toEqual([[undefined, false]]);
  });

  it('begins anew when what is there is damaged, and the whole tells', async () => {
    const folder = await broken();
    writeFileSync(path.join(folder, 'tiny.gguf.part'), new Uint8Array(120_000));
    const pulled = await rig.pull({ folder });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(rig.cdnRequests()).toEqual([
      ['bytes=120000-', expect.any(Boolean)],
      [undefined, false],
    ]);
  });

  it.each<readonly [string, Fault]>([
    ['a server that knows no ranges', (_request, response) => response.writeHead(200).end(CONTENT)],
    [
      'a server that gives another range',
      (_request, response) =>
        response.writeHead(206, { 'content-range': `bytes 5-299999/300000` }).end(CONTENT.subarray(5)),
    ],
    ['a server that refuses the range', answer(416)],
  ])('begins anew at %s', async (_name, fault) => {
    const folder = await broken();
    hub.faults.cdn.push(fault);
    const pulled = await rig.pull({ folder });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
  });

  it('does not download again what is whole', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    const folder = rig.fresh();
    await rig.pull({ folder });
    hub.requests.length = 0;
    await rig.pull({ folder });
    expect(rig.cdnRequests()).toEqual([]);
    // A note that can't be read tells nothing.
    writeFileSync(path.join(folder, 'tiny.gguf.download.json'), '{"bytes');
    await rig.pull({ folder });
    expect(rig.cdnRequests()).toEqual([[undefined, false]]);
  });
});

describe('a server that is busy', () => {
  it.each<readonly [string, 'api' | 'resolve' | 'cdn', Fault, readonly number[]]>([
    ['its API', 'api', answer(429, { 'retry-after': '7' }), [7000]],
    ['its files', 'resolve', answer(429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' }), [3000]],
    ['its CDN', 'cdn', answer(503), [500]],
  ])('%s is waited for as long as it says', async (_name, place, fault, pauses) => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.faults[place].push(fault);
    await rig.pull();
    expect(rig.pausesMs).toEqual(pauses);
  });

  it('for too long is told of', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.faults.cdn.push(answer(429, { 'retry-after': '3600' }));
    await expect(rig.pull()).rejects.toMatchObject({ code: 'overloaded' });
    expect(rig.pausesMs).toEqual([]);
  });

  it('is not waited for when the pull is cancelled meanwhile', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    const abort = new AbortController();
    hub.faults.cdn.push((request, response, file) => {
      answer(429, { 'retry-after': '100' })(request, response, file);
    });
    const waiting = vi.spyOn(rig.clock, 'after').mockImplementation(() => {
      setImmediate(() => abort.abort());
      return () => undefined;
    });
    await expect(rig.pull({ signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    waiting.mockRestore();
  });
});
