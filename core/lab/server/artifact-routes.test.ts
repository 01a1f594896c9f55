import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, watch } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { DEFAULT_LIMITS, type Listener } from '../../serving';
import { rawConnection } from '../../serving/test-support/raw-http';
import { ArtifactStore } from '../artifacts/artifact-store';
import { runArtifactUri } from '../artifacts/artifact-uri';
import { artifactRoutes } from './artifact-routes';
import { startLabServer } from './lab-server';

const RUN = 'a'.repeat(32);
const ELSEWHERE = 'b'.repeat(32);
const ROOT = `/api/2.0/mlflow-artifacts/artifacts/0/${RUN}/artifacts`;
const MIB = 2 ** 20;

let folder: string;
let listener: Listener;
let base: string;

async function start(stallMs: number): Promise<void> {
  const store = await ArtifactStore.open(folder);
  const artifactUriOf = (runId: string): string => {
    if (runId === RUN) return runArtifactUri('0', RUN);
    if (runId === ELSEWHERE) return 's3://bucket/elsewhere';
    throw new SluiceError('not-found', `Run "${runId}" not found.`);
  };
  const routes = [artifactRoutes({ store, artifactUriOf, stallMs })];
  // A small limit of bodies: uploads are not under it.
  const limits = { ...DEFAULT_LIMITS, bodyBytes: MIB };
  listener = await startLabServer({ routes, token: undefined, host: '127.0.0.1', port: 0, limits });
  base = `http://127.0.0.1:${listener.port}`;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-artifact-routes-'));
  await start(30_000);
});
afterEach(async () => {
  await listener.close();
  rmSync(folder, { recursive: true });
});

const put = (path: string, body: string | Uint8Array<ArrayBuffer>) =>
  fetch(`${base}${ROOT}/${path}`, { method: 'PUT', body });
const get = (path: string, headers: Record<string, string> = {}) => fetch(base + path, { headers });
const uploads = () => readdirSync(join(folder, 'artifact-uploads'));
const listed = async () => (await get(`/api/2.0/mlflow-artifacts/artifacts?path=0&recursive=true`)).json();

describe('artifacts over HTTP', () => {
  it.each([
    'text/plain',
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'made/up',
  ])('takes a file that claims to be %s, and gives it back', async (type) => {
    const init = { method: 'PUT', body: '{"not": parsed', headers: { 'content-type': type } };
    const answer = await fetch(`${base}${ROOT}/deep/a%20b.txt`, init);
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
    const back = await get(`${ROOT}/deep/a%20b.txt`);
    expect(await back.text()).toBe('{"not": parsed');
    expect(Object.fromEntries(back.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '14',
      'accept-ranges': 'bytes',
      'content-disposition': "attachment; filename*=UTF-8''a%20b.txt",
      'x-content-type-options': 'nosniff',
    });
  });

  it('takes a file without a byte, and one without a type', async () => {
    expect((await fetch(`${base}${ROOT}/empty`, { method: 'PUT' })).status).toBe(200);
    expect((await put('bytes', new Uint8Array([1, 2, 3]))).status).toBe(200);
    expect(await (await get(`${ROOT}/empty`)).text()).toBe('');
    expect((await (await get(`${ROOT}/bytes`)).arrayBuffer()).byteLength).toBe(3);
  });

  it('lists for the proxy and for a run', async () => {
    await put('top.txt', 'one');
    await put('model/MLmodel', 'three');
    const proxy = async (query: string) => (await get(`/api/2.0/mlflow-artifacts/artifacts?${query}`)).json();
    const run = async (query: string) => (await get(`/api/2.0/mlflow/artifacts/list?${query}`)).json();
    const top = [
      { path: 'model', is_dir: true },
      { path: 'top.txt', is_dir: false, file_size: 3 },
    ];
    const uri = runArtifactUri('0', RUN);
    expect(await proxy(`path=0/${RUN}/artifacts`)).toEqual({ files: top });
    expect(await proxy(`path=0/${RUN}/artifacts/model`)).toEqual({
      files: [{ path: 'MLmodel', is_dir: false, file_size: 5 }],
    });
    expect(await run(`run_id=${RUN}`)).toEqual({ root_uri: uri, files: top });
    expect(await run(`run_uuid=${RUN}&path=model`)).toEqual({
      root_uri: uri,
      files: [{ path: 'model/MLmodel', is_dir: false, file_size: 5 }],
    });
    expect(await run(`run_id=${RUN}&path=no/such`)).toEqual({ root_uri: uri, files: [] });
    expect(await (await get(`/get-artifact?run_id=${RUN}&path=model/MLmodel`)).text()).toBe('three');
  });

  it('deletes a file, and a folder', async () => {
    for (const path of ['one', 'two/a', 'two/b']) await put(path, path);
    for (const path of ['one', 'two/']) {
      const answer = await fetch(`${base}${ROOT}/${path}`, { method: 'DELETE' });
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
    }
    expect((await get(`${ROOT}/two/a`)).status).toBe(404);
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=0-1,4-5', 200, '0123456789', null],
  ])('sends the range %s', async (range, status, text, contentRange) => {
    await put('digits', '0123456789');
    const answer = await get(`${ROOT}/digits`, { range });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
  });

  it('goes on with a download only when it is still the same file', async () => {
    await put('digits', '0123456789');
    const etag = (await get(`${ROOT}/digits`)).headers.get('etag')!;
    expect((await get(`${ROOT}/digits`, { range: 'bytes=5-', 'if-range': etag })).status).toBe(206);
    await put('digits', 'another file');
    expect((await get(`${ROOT}/digits`, { range: 'bytes=5-', 'if-range': etag })).status).toBe(200);
  });

  it('tells of a file without sending it', async () => {
    await put('digits', '0123456789');
    const answer = await fetch(`${base}${ROOT}/digits`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([
      200,
      '10',
      '',
    ]);
  });

  it('refuses a range that is not there', async () => {
    await put('digits', '0123456789');
    const answer = await get(`${ROOT}/digits`, { range: 'bytes=10-' });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    expect(await answer.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
  });

  it.each([
    ['GET', `${ROOT}/no/such`, 404, 'RESOURCE_DOES_NOT_EXIST', /there is no such artifact/],
    ['GET', `${ROOT}/file/below`, 404, 'RESOURCE_DOES_NOT_EXIST', /no such artifact/],
    ['GET', ROOT, 400, 'INVALID_PARAMETER_VALUE', /expected a file, found a folder/],
    ['DELETE', `${ROOT}/no/such`, 404, 'RESOURCE_DOES_NOT_EXIST', /no such artifact/],
    ['DELETE', '/api/2.0/mlflow-artifacts/artifacts/', 404, 'ENDPOINT_NOT_FOUND', /not an operation/],
    ['PUT', ROOT, 400, 'INVALID_PARAMETER_VALUE', /a folder of that name/],
    ['PUT', `${ROOT}/file/below`, 400, 'INVALID_PARAMETER_VALUE', /file is a file and can't hold others/],
    ['PUT', `${ROOT}/${'x'.repeat(256)}`, 400, 'INVALID_PARAMETER_VALUE', /more than 255 bytes/],
    ['PUT', `${ROOT}/${'d/'.repeat(40)}x`, 400, 'INVALID_PARAMETER_VALUE', /more than 32 names/],
    [
      'GET',
      '/api/2.0/mlflow-artifacts/artifacts?path=../..',
      400,
      'INVALID_PARAMETER_VALUE',
      /the step "\.\."/,
    ],
    ['GET', '/api/2.0/mlflow-artifacts/artifacts?recursive=2', 400, 'INVALID_PARAMETER_VALUE', /recursive: /],
    ['GET', '/api/2.0/mlflow-artifacts/artifacts?path=a&path=b', 400, 'INVALID_PARAMETER_VALUE', /path: /],
    [
      'GET',
      '/api/2.0/mlflow/artifacts/list',
      400,
      'INVALID_PARAMETER_VALUE',
      /run_id: expected the id of a run/,
    ],
    ['GET', '/api/2.0/mlflow/artifacts/list?run_id=none', 404, 'RESOURCE_DOES_NOT_EXIST', /"none" not found/],
    [
      'GET',
      `/api/2.0/mlflow/artifacts/list?run_id=${RUN}&path=/etc`,
      400,
      'INVALID_PARAMETER_VALUE',
      /empty name/,
    ],
    ['GET', `/api/2.0/mlflow/artifacts/list?run_id=${ELSEWHERE}`, 501, 'NOT_IMPLEMENTED', /s3:\/\/bucket/],
    ['GET', `/get-artifact?run_id=${RUN}&path=no`, 404, 'RESOURCE_DOES_NOT_EXIST', /no such artifact/],
    ['GET', `/get-artifact?run_id=${RUN}&path=../secret`, 400, 'INVALID_PARAMETER_VALUE', /the step/],
    [
      'POST',
      '/api/2.0/mlflow-artifacts/mpu/create/0/x',
      501,
      'NOT_IMPLEMENTED',
      /^Multipart upload is not supported/,
    ],
    [
      'POST',
      '/api/2.0/mlflow-artifacts/mpu/complete',
      501,
      'NOT_IMPLEMENTED',
      /^Multipart upload is not supported/,
    ],
    [
      'POST',
      '/api/2.0/mlflow-artifacts/mpu/abort/0/x',
      501,
      'NOT_IMPLEMENTED',
      /^Multipart upload is not supported/,
    ],
    ['GET', '/api/2.0/mlflow-artifacts/presigned/0/x', 501, 'NOT_IMPLEMENTED', /^Presigned download is not/],
  ])('answers %s %s with %i %s', async (method, path, status, code, message) => {
    await put('file', 'a file');
    const answer = await fetch(base + path, { method, ...(method !== 'GET' && { body: 'x' }) });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({
      error_code: code,
      message: expect.stringMatching(message) as string,
    });
    expect(uploads()).toEqual([]);
  });

  // Clients of any worth tidy such paths up before they ask.
  it.each([
    ['/../../../secret', 400],
    ['/..%2f..%2f..%2fsecret', 400],
    ['/%2e%2e/%2e%2e/secret', 400],
    ['/%252e%252e/%252e%252e/secret', 400],
    ['/..%5c..%5csecret', 400],
    ['/..\\..\\secret', 400],
    ['//etc/passwd', 400],
    ['/%2fetc/passwd', 400],
    ['/a%00b', 400],
    ['/a%0ab', 400],
    ['/%c0%ae%c0%ae/secret', 400],
    ['/%zz', 400],
  ])('refuses %s, for reading and writing', async (path, status) => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { socket, reply } = rawConnection(listener.port);
      const length = method === 'PUT' ? 'content-length: 1\r\n' : '';
      socket.write(
        `${method} ${ROOT}${path} HTTP/1.1\r\nhost: localhost\r\n${length}connection: close\r\n\r\n`,
      );
      if (method === 'PUT') socket.write('x');
      expect(await reply).toContain(`HTTP/1.1 ${status} `);
    }
    expect(await listed()).toEqual({ files: [] });
    expect(readdirSync(folder).sort()).toEqual(['artifact-uploads', 'artifacts']);
    expect(existsSync(join(folder, '..', 'secret'))).toBe(false);
  });

  it('keeps nothing of an upload that is cut off', async () => {
    const begun = uploadBegins();
    const { socket, reply } = rawConnection(listener.port);
    socket.write(`PUT ${ROOT}/cut HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nhalf`);
    await begun;
    const ended = uploadEnds();
    socket.destroy();
    await Promise.all([reply, ended]);
    expect(await listed()).toEqual({ files: [] });
  });

  it('cuts an upload off that sends nothing any more', async () => {
    await listener.close();
    await start(50);
    const { socket, reply } = rawConnection(listener.port);
    socket.write(`PUT ${ROOT}/stalled HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nhalf`);
    expect(await reply).toBe('');
    await uploadEnds();
    expect(await listed()).toEqual({ files: [] });
  });

  it('takes 200 MB, far beyond the limit of bodies, in little memory', { timeout: 120_000 }, async () => {
    const chunks = 200;
    const chunk = Buffer.alloc(MIB, 'sluice');
    const hash = createHash('sha256');
    const held = () => process.memoryUsage.rss();
    const before = held();
    let most = before;
    function* content(): Generator<Buffer> {
      for (let i = 0; i < chunks; i += 1) {
        chunk.writeUInt32LE(i);
        hash.update(chunk);
        most = Math.max(most, held());
        // A copy: the socket may still hold it when the next one is made.
        yield Buffer.from(chunk);
      }
    }
    const upload = httpRequest(`${base}${ROOT}/large.bin`, { method: 'PUT' });
    const answered = once(upload, 'response') as Promise<[{ statusCode: number; resume(): void }]>;
    await pipeline(Readable.from(content(), { highWaterMark: 1 }), upload);
    const [answer] = await answered;
    answer.resume();
    expect(answer.statusCode).toBe(200);
    const stored = createHash('sha256');
    const download = (await get(`${ROOT}/large.bin`)).body as AsyncIterable<Uint8Array>;
    for await (const piece of download) {
      stored.update(piece);
      most = Math.max(most, held());
    }
    expect(stored.digest('hex')).toBe(hash.digest('hex'));
    expect(most - before).toBeLessThan(100 * MIB);
  });
});

/** Settles when the next upload has its temporary file. */
function uploadBegins(): Promise<void> {
  return uploadsAre((names) => names.length > 0);
}

function uploadEnds(): Promise<void> {
  return uploadsAre((names) => names.length === 0);
}

async function uploadsAre(done: (names: readonly string[]) => boolean): Promise<void> {
  const watcher = watch(join(folder, 'artifact-uploads'));
  while (!done(uploads())) await once(watcher, 'change');
  watcher.close();
}
