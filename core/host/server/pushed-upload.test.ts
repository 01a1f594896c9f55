import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, request as requestHttp } from 'node:http';
import type { ClientRequest, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { clearPushed } from '../models/uploads';
import { PushedUploads } from './pushed-upload';
import type { PushedState } from './pushed-upload';

const MARK = '0123456789abcdef';
const MOST_BYTES = 10_000_000;
const BODY = Buffer.from(Array.from({ length: 3000 }, (_, at) => at % 251));
const SHA256 = createHash('sha256').update(BODY).digest('hex');

let folder: string;
let uploads: PushedUploads;
let server: Server;
let url: string;

/** What the last request came to. */
let outcomes: Promise<PushedState | SluiceError>[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-pushed-'));
  uploads = new PushedUploads(folder, MOST_BYTES, () => Date.now());
  outcomes = [];
  server = createServer((request, response) => {
    const outcome = uploads
      .receive(request, new URL(request.url ?? '', 'http://host').searchParams)
      .catch((thrown: unknown) => SluiceError.from(thrown));
    outcomes.push(outcome);
    void outcome.then(() => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/upload`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

interface Part {
  readonly name?: string;
  readonly offset?: number;
  readonly total?: number;
  readonly sha256?: string;
  readonly upload?: string;
}

const queryOf = ({
  name = 'm.onnx',
  offset = 0,
  total = BODY.length,
  sha256 = SHA256,
  upload = MARK,
}: Part) => new URLSearchParams({ upload, name, offset: String(offset), total: String(total), sha256 });

function begin(part: Part, contentLength: number): ClientRequest {
  const headers = { 'content-length': contentLength };
  const request = requestHttp(`${url}?${queryOf(part).toString()}`, { method: 'POST', headers });
  request.on('error', () => undefined);
  return request;
}

async function send(part: Part, body: Buffer): Promise<PushedState | SluiceError> {
  const count = outcomes.length;
  begin(part, body.length).end(body);
  await expect.poll(() => outcomes.length).toBe(count + 1);
  return outcomes[count]!;
}

const state = (name = 'm.onnx'): Promise<PushedState> =>
  uploads.state(new URLSearchParams({ upload: MARK, name }));

/** Sends so many bytes and breaks the connection once they have come. */
async function sendHalf(bytes: number): Promise<void> {
  const request = begin({}, BODY.length);
  request.write(BODY.subarray(0, bytes));
  await expect.poll(async () => (await state()).bytes).toBe(bytes);
  request.destroy();
}

describe('a file that another engine pushes', () => {
  it('arrives whole, beside others of its push', async () => {
    expect(await send({}, BODY)).toMatchObject({ bytes: BODY.length, isWhole: true });
    expect(await send({ name: 'my weights/a b.bin' }, BODY)).toMatchObject({ isWhole: true });
    const { path } = await state('my weights/a b.bin');
    expect(path).toBe(join(folder, 'pushed', MARK, 'my weights', 'a b.bin'));
    expect(readFileSync(path)).toEqual(BODY);
    await uploads.discard(new URLSearchParams({ upload: MARK }));
    expect(existsSync(join(folder, 'pushed'))).toBe(false);
  });

  it('goes on where its connection broke, also in another process', async () => {
    await sendHalf(1000);
    await outcomes[0];
    expect(await state()).toMatchObject({ bytes: 1000, isWhole: false });
    uploads = new PushedUploads(folder, MOST_BYTES, () => Date.now());
    expect(await send({ offset: 1000 }, BODY.subarray(1000))).toMatchObject({ isWhole: true });
    expect(readFileSync((await state()).path)).toEqual(BODY);
  });

  it('goes on although the end of its connection was not noticed yet', async () => {
    const first = begin({}, BODY.length);
    first.write(BODY.subarray(0, 500));
    await expect.poll(async () => (await state()).bytes).toBe(500);
    expect(await send({ offset: 500 }, BODY.subarray(500))).toMatchObject({ isWhole: true });
    expect(await outcomes[0]).toBeInstanceOf(SluiceError);
  });

  it('that arrived otherwise than it was sent is not kept', async () => {
    await sendHalf(1000);
    await outcomes[0];
    const other = Buffer.from(BODY);
    other[2000] = 0;
    expect(await send({ offset: 1000 }, other.subarray(1000))).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/expected SHA-256 .*, found /) as string,
    });
    expect(await state()).toMatchObject({ bytes: 0, isWhole: false });
  });

  it('is refused from another place than where it broke off', async () => {
    await sendHalf(1000);
    await outcomes[0];
    expect(await send({ offset: 900 }, BODY.subarray(900))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('expected a part from byte 1000 on, found one from 900') as string,
    });
    expect(await state()).toMatchObject({ bytes: 1000 });
  });

  it('is forgotten after a day without a byte, and not before', async () => {
    await sendHalf(1000);
    await outcomes[0];
    const partial = join(folder, 'pushed', MARK, 'm.onnx.partial');
    const nowMs = Date.now();
    await clearPushed(folder, nowMs + 23 * 3_600_000);
    expect(existsSync(partial)).toBe(true);
    utimesSync(partial, 0, 0);
    utimesSync(join(folder, 'pushed', MARK), 0, 0);
    await clearPushed(folder, nowMs);
    expect(existsSync(join(folder, 'pushed'))).toBe(false);
  });

  it.each<readonly [string, Part, RegExp]>([
    ['more than is taken', { total: MOST_BYTES + 1 }, /more than .* are not taken/],
    ['no mark', { upload: '../../../etc' }, /16 hex digits/],
    ['no hash', { sha256: 'x' }, /64 hex digits/],
    ['a negative place', { offset: -1 }, /offset/],
    ['a place past its end', { offset: 4000 }, /expected a part from byte 0/],
    ...['', '..', 'a/../b', '/etc/passwd', 'a//b', '.hidden', 'a\\b', 'C:x', 'a\nb', 'x.partial', 'a/'].map(
      (name) => [`the name ${JSON.stringify(name)}`, { name }, /plain names/] as const,
    ),
    ['the name of a deep place', { name: Array.from({ length: 9 }, () => 'a').join('/') }, /plain names/],
  ])('is refused with %s', async (_what, part, message) => {
    expect(await send(part, BODY)).toMatchObject({ message: expect.stringMatching(message) as string });
    expect(existsSync(join(folder, 'pushed'))).toBe(false);
  });

  it('of more bytes than announced is not kept', async () => {
    expect(await send({ total: 100 }, BODY)).toMatchObject({ code: 'bad-input' });
  });

  it('is left alone by what lies beside the pushes', async () => {
    mkdirSync(join(folder, 'models'));
    writeFileSync(join(folder, 'models', 'a'), '');
    await uploads.discard(new URLSearchParams({ upload: MARK }));
    expect(existsSync(join(folder, 'models', 'a'))).toBe(true);
  });
});
