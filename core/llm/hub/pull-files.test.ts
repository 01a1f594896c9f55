import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Clock } from '../../base';
import { SluiceError, type ErrorCode } from '../../contract';
import { answer, cutAfter, FakeHub, flipped, sha256, type Fault } from '../test-support/fake-hub';
import { writeTinyChatFolder } from '../test-support/tiny-chat-folder';
import { hubEndpoint } from './hub-address';
import { pullFiles, type PulledModel, type PullProgress, type PullRequest } from './pull-files';

let hub: FakeHub;
let root: string;
let count = 0;
/** Pauses take no time, and are noted. */
let pausesMs: number[];
const clock: Clock = {
  nowMs: () => Date.UTC(2026, 0, 1),
  after: (delayMs, run) => {
    pausesMs.push(delayMs);
    const timer = setImmediate(run);
    return () => clearImmediate(timer);
  },
};

beforeAll(async () => {
  hub = await FakeHub.start();
  root = mkdtempSync(path.join(tmpdir(), 'sluice-hub-'));
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  pausesMs = [];
});
afterEach(() => hub.reset());

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251);
const fresh = (): string => path.join(root, String(count++));

interface PullOptions extends Partial<PullRequest> {
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly hubUrl?: string;
}

function pull({ token, signal, hubUrl = hub.url, ...request }: PullOptions = {}): Promise<PulledModel> {
  const settings = {
    endpoint: hubEndpoint(hubUrl),
    clock,
    ...(token !== undefined && { token }),
    ...(signal && { signal }),
  };
  return pullFiles(settings, {
    repo: hub.repo,
    folder: fresh(),
    onChosen: () => undefined,
    ...request,
    onProgress: (progress) => {
      hub.arrived(progress.doneBytes);
      request.onProgress?.(progress);
    },
  });
}

const cdnRequests = (): unknown[] =>
  hub.requests
    .filter(({ host }) => host === 'cdn')
    .map(({ range, ifRange }) => [range, ifRange !== undefined]);

describe('a pull', () => {
  it('gets the GGUF file from where the hub sends it, with its checksum compared', async () => {
    hub.add('README.md', '# Tiny');
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.add('.gitattributes', 'x');
    const seen: PullProgress[] = [];
    const pulled = await pull({ onProgress: (progress) => seen.push(progress) });
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
    const folder = fresh();
    await writeTinyChatFolder(folder, { files: 2 });
    for (const name of readdirSync(folder)) {
      hub.add(name, readFileSync(path.join(folder, name)), { lfs: name.endsWith('.safetensors') });
    }
    hub.add('pytorch_model.bin', 'not wanted', { lfs: true });
    hub.add('onnx/model.onnx', 'not wanted', { lfs: true });
    const pulled = await pull();
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
    await expect(pull()).rejects.toThrow(/'FalconForCausalLM' can't be run/);
    expect(cdnRequests()).toEqual([]);
  });

  it('sends the token to the hub, and to no other host', async () => {
    hub.token = 'secret';
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    await pull({ token: 'secret' });
    const by = (host: string): unknown[] =>
      hub.requests.filter((request) => request.host === host).map(({ authorization }) => authorization);
    expect(new Set(by('hub'))).toEqual(new Set(['Bearer secret']));
    expect(by('cdn')).toEqual([undefined]);
  });

  it('asks for the commit it listed, in pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'tiny.gguf']) hub.add(name, CONTENT);
    await pull({ revision: 'main' });
    const paths = hub.requests.map(({ path: at }) => at);
    expect(paths.filter((at) => at.includes('/tree/'))).toHaveLength(3);
    expect(paths.at(-1)).toBe(`/${hub.repo}/resolve/${hub.commit}/tiny.gguf`);
  });

  it('gets a file that stands in the repository, with its git checksum compared', async () => {
    hub.add('deep/er/tiny.gguf', CONTENT);
    const pulled = await pull();
    expect(pulled.path.endsWith(path.join('deep', 'er', 'tiny.gguf'))).toBe(true);
    hub.faults.resolve.push(flipped);
    await expect(pull()).rejects.toThrow(/gave other bytes for deep\/er\/tiny.gguf .*: expected git SHA-1 /);
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
    const pulled = await pull();
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(cdnRequests()).toEqual(requests);
  });

  it('without end is given up, after pauses that double, and gone on from by the next pull', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.faults.cdn.push(hub.cutOnce(1000), ...Array.from({ length: 8 }, () => hub.cutOnce(0)));
    const folder = fresh();
    await expect(pull({ folder })).rejects.toMatchObject({ code: 'unavailable' });
    expect(pausesMs).toEqual([500, 1000, 2000, 4000, 8000, 16_000].slice(0, pausesMs.length));
    expect(pausesMs).toHaveLength(6);
    hub.faults.cdn.length = 0;
    hub.requests.length = 0;
    const pulled = await pull({ folder });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(cdnRequests()).toEqual([['bytes=1000-', true]]);
  });

  it('anywhere, any number of times, gives the same file', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(CONTENT.length), { maxLength: 5 }), async (cuts) => {
        hub.faults.cdn.push(...cuts.map((bytes) => hub.cutOnce(bytes)));
        const pulled = await pull();
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
    const folder = fresh();
    hub.faults.cdn.push((request, response, file) => {
      cutAfter(120_000)(request, response, file);
      abort.abort();
    });
    await expect(pull({ folder, signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    writeFileSync(path.join(folder, 'tiny.gguf.part'), CONTENT.subarray(0, 120_000));
    hub.requests.length = 0;
    return folder;
  };

  it('goes on where it was', async () => {
    const folder = await broken();
    const seen: number[] = [];
    const pulled = await pull({ folder, onProgress: ({ doneBytes }) => seen.push(doneBytes) });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(cdnRequests()).toEqual([['bytes=120000-', expect.any(Boolean)]]);
    expect(seen[0]).toBe(120_000);
  });

  it('begins anew when the file changed', async () => {
    const folder = await broken();
    const changed = CONTENT.map((value) => value ^ 5);
    hub.add('tiny.gguf', changed, { lfs: true });
    const pulled = await pull({ folder });
    expect(readFileSync(pulled.path).equals(changed)).toBe(true);
    expect(cdnRequests()).toEqual([[undefined, false]]);
  });

  it('begins anew when what is there is damaged, and the whole tells', async () => {
    const folder = await broken();
    writeFileSync(path.join(folder, 'tiny.gguf.part'), new Uint8Array(120_000));
    const pulled = await pull({ folder });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
    expect(cdnRequests()).toEqual([
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
    const pulled = await pull({ folder });
    expect(readFileSync(pulled.path).equals(CONTENT)).toBe(true);
  });

  it('does not download again what is whole', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    const folder = fresh();
    await pull({ folder });
    hub.requests.length = 0;
    await pull({ folder });
    expect(cdnRequests()).toEqual([]);
    // A note that can't be read tells nothing.
    writeFileSync(path.join(folder, 'tiny.gguf.download.json'), '{"bytes');
    await pull({ folder });
    expect(cdnRequests()).toEqual([[undefined, false]]);
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
    await pull();
    expect(pausesMs).toEqual(pauses);
  });

  it('for too long is told of', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    hub.faults.cdn.push(answer(429, { 'retry-after': '3600' }));
    await expect(pull()).rejects.toMatchObject({ code: 'overloaded' });
    expect(pausesMs).toEqual([]);
  });

  it('is not waited for when the pull is cancelled meanwhile', async () => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    const abort = new AbortController();
    hub.faults.cdn.push((request, response, file) => {
      answer(429, { 'retry-after': '100' })(request, response, file);
    });
    const waiting = vi.spyOn(clock, 'after').mockImplementation(() => {
      setImmediate(() => abort.abort());
      return () => undefined;
    });
    await expect(pull({ signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    waiting.mockRestore();
  });
});

/** [name, set-up, request, code, message] */
const BAD: readonly (readonly [string, (fake: FakeHub) => void, PullOptions, ErrorCode, RegExp])[] = [
  [
    'wrong bytes',
    ({ faults }) => faults.cdn.push(flipped),
    {},
    'unavailable',
    /gave other bytes for tiny.gguf .*expected SHA-256 [0-9a-f]{64}, found .*Nothing was kept/,
  ],
  [
    'a wrong size',
    ({ faults }) => faults.cdn.push((_q, response) => response.end(new Uint8Array(400_000))),
    {},
    'unavailable',
    /lists 300000 bytes .* and gives more/,
  ],
  [
    'a range of another file',
    (fake) =>
      fake.add('tiny.gguf', CONTENT, { lfs: true, listed: { lfs: { oid: 'f'.repeat(64), size: 300_000 } } }),
    {},
    'unavailable',
    /changed at 127.*since it was listed/,
  ],
  [
    'an encoding',
    ({ faults }) => faults.cdn.push(answer(200, { 'content-encoding': 'gzip' }, 'x')),
    {},
    'unavailable',
    /as gzip, unasked/,
  ],
  [
    'no token',
    (fake) => (fake.token = 'secret'),
    {},
    'unauthorized',
    /wants a token for the repository acme\/Tiny-GGUF.*--token-env/,
  ],
  ['a wrong token', (fake) => (fake.token = 'secret'), { token: 'guess' }, 'unauthorized', /wants a token/],
  [
    'a gated repository',
    ({ faults }) => faults.resolve.push(answer(403, { 'x-error-code': 'GatedRepo' })),
    {},
    'unauthorized',
    /Accept its terms on its page/,
  ],
  [
    'no repository',
    () => undefined,
    { repo: 'acme/other' },
    'not-found',
    /There is no repository acme\/other at 127/,
  ],
  ['no revision', () => undefined, { revision: 'v9' }, 'not-found', /no such revision of the repository/],
  [
    'no file',
    () => undefined,
    { file: 'none.gguf' },
    'not-found',
    /has no file none.gguf. Choose one with --file:\n {2}tiny.gguf {2}293 KiB/,
  ],
  [
    'a file that is no model',
    (fake) => fake.add('README.md', 'x'),
    { file: 'README.md' },
    'bad-input',
    /README.md of acme\/Tiny-GGUF is no model/,
  ],
  [
    'a file gone since',
    ({ faults }) => faults.resolve.push(answer(404, { 'x-error-code': 'EntryNotFound' })),
    {},
    'not-found',
    /no file tiny.gguf of acme/,
  ],
  [
    'a server without end of errors',
    ({ faults }) => faults.api.push(...Array.from({ length: 9 }, () => answer(500, {}, 'Oh no'))),
    {},
    'unavailable',
    /answered 500 for the repository .*: Oh no. Try again later/,
  ],
  [
    'a page',
    ({ faults }) => faults.api.push(answer(200, {}, '<html>Sign in</html>')),
    {},
    'unavailable',
    /does not answer as a Hugging Face style hub: .*'<html>Sign in<\/html>'. Check --hub/,
  ],
  [
    'another kind of JSON',
    ({ faults }) => faults.api.push(answer(200, {}, 'null')),
    {},
    'unavailable',
    /does not answer as a Hugging Face style hub/,
  ],
  [
    'a list of nothing known',
    ({ faults }) => faults.api.push(answer(200, {}, '{}'), answer(200, {}, '[{"x":1}]')),
    {},
    'unavailable',
    /does not answer as/,
  ],
  [
    'a list without end',
    ({ faults, url }) =>
      faults.api.push(
        answer(200, {}, '{}'),
        ...Array.from({ length: 300 }, () => answer(200, { link: `<${url}/api/x>; rel="next"` }, '[]')),
      ),
    {},
    'unavailable',
    /more than 200 pages/,
  ],
  [
    'a list that goes on elsewhere',
    ({ faults, cdnUrl }) =>
      faults.api.push(answer(200, {}, '{}'), answer(200, { link: `<${cdnUrl}/x>; rel="next"` }, '[]')),
    {},
    'unavailable',
    /a page of its list is at 127/,
  ],
  [
    'redirects without end',
    ({ faults }) =>
      faults.resolve.push(...Array.from({ length: 9 }, () => answer(302, { location: './tiny.gguf' }))),
    {},
    'unavailable',
    /redirects more than 5 times/,
  ],
  [
    'a redirect to a file',
    ({ faults }) => faults.resolve.push(answer(302, { location: 'file:///etc/passwd' })),
    {},
    'unavailable',
    /redirects to 'file:\/\/\/etc\/passwd'; expected an https/,
  ],
  [
    'a redirect with a password',
    ({ faults }) => faults.resolve.push(answer(302, { location: 'http://a:b@127.0.0.1/' })),
    {},
    'unavailable',
    /redirects to 'http:\/\/a:b/,
  ],
  [
    'a path out of the folder',
    (fake) => fake.add('../../evil.gguf', 'x'),
    {},
    'unavailable',
    /lists a file '..\/..\/evil.gguf', which is no path/,
  ],
  ['an absolute path', (fake) => fake.add('/etc/evil.gguf', 'x'), {}, 'unavailable', /no path in a folder/],
  [
    'a path of Windows',
    (fake) => fake.add('a\\..\\evil.gguf', 'x'),
    {},
    'unavailable',
    /no path in a folder/,
  ],
  ['a drive', (fake) => fake.add('C:evil.gguf', 'x'), {}, 'unavailable', /no path in a folder/],
  [
    'a model in parts',
    (fake) => {
      fake.files.clear();
      fake.add('big-00001-of-00003.gguf', 'x');
    },
    {},
    'unsupported',
    /one of several files .*llama-gguf-split/,
  ],
  [
    'no model',
    (fake) => {
      fake.files.clear();
      fake.add('pytorch_model.bin', 'x');
    },
    {},
    'unsupported',
    /neither a GGUF file nor a config.json/,
  ],
  [
    'more than fits the disk',
    (fake) =>
      fake.add('tiny.gguf', CONTENT, { lfs: true, listed: { lfs: { oid: 'f'.repeat(64), size: 2 ** 50 } } }),
    {},
    'io',
    /needs 1024 TiB more on the disk .* are free/,
  ],
  [
    'no name',
    () => undefined,
    { repo: '../x' },
    'bad-input',
    /'..\/x' can't be a repository: expected OWNER\/NAME/,
  ],
  ['no revision of a name', () => undefined, { revision: '../..' }, 'bad-input', /can't be a revision/],
  ['no hub', () => undefined, { hubUrl: 'ftp://x' }, 'bad-input', /'ftp:\/\/x' can't be a hub/],
  ['a password in the address', () => undefined, { hubUrl: 'http://a:b@x' }, 'bad-input', /can't be a hub/],
  [
    'a token in plain text',
    () => undefined,
    { hubUrl: 'http://hub.example', token: 'x' },
    'bad-input',
    /token is not sent to http:\/\/hub.example in plain text/,
  ],
  [
    'nobody there',
    () => undefined,
    { hubUrl: 'http://127.0.0.1:1' },
    'unavailable',
    /The connection to 127.0.0.1:1 failed/,
  ],
];

describe('a pull fails clearly', () => {
  it.each(BAD)('of %s', async (_name, setUp, request, code, message) => {
    hub.add('tiny.gguf', CONTENT, { lfs: true });
    setUp(hub);
    const folder = fresh();
    const thrown = await Promise.resolve()
      .then(() => pull({ folder, ...request }))
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SluiceError);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(existsSync(path.join(folder, 'tiny.gguf'))).toBe(false);
    expect(readdirSync(root).filter((name) => !/^\d+$/.test(name))).toEqual([]);
  });

  it('when it is cancelled before it began', async () => {
    await expect(pull({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
