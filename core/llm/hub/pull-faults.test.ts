import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError, type ErrorCode } from '../../contract';
import { answer, flipped, type FakeHub } from '../test-support/fake-hub';
import { CONTENT, PullRig, type RigPull } from '../test-support/pull-rig';

let rig: PullRig;
let hub: FakeHub;
beforeAll(async () => {
  rig = await PullRig.start();
  ({ hub } = rig);
});
afterAll(() => rig.close());
afterEach(() => rig.reset());

/** [name, set-up, request, code, message] */
const BAD: readonly (readonly [string, (fake: FakeHub) => void, RigPull, ErrorCode, RegExp])[] = [
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
    const folder = rig.fresh();
    const thrown = await Promise.resolve()
      .then(() => rig.pull({ folder, ...request }))
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SluiceError);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(existsSync(path.join(folder, 'tiny.gguf'))).toBe(false);
    expect(readdirSync(rig.root).filter((name) => !/^\d+$/.test(name))).toEqual([]);
  });

  it('when it is cancelled before it began', async () => {
    await expect(rig.pull({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
