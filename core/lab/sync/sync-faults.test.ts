import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { filesWithSecret } from '../../storage/test-support/secret-in-files';
import { SyncGround, type GroundOptions } from './test-support/sync-ground';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options: GroundOptions): Promise<SyncGround> {
  const ground = await SyncGround.open(options);
  closing.push(() => ground.close());
  return ground;
}

/** A server of another kind. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const TOKEN = 'a-token-that-nobody-guesses';

describe('a remote that can not be', () => {
  it.each<[string, string, RegExp]>([
    ['no URL', 'cloud', /expected http:\/\/HOST or https:\/\/HOST, found "cloud"/],
    ['a file', 'file:///etc/passwd', /expected http:\/\/HOST/],
    [
      'a password in it',
      'https://ann:secret@lab.example',
      /without a user and password; give a token in a file\.$/,
    ],
    ['a query', 'http://127.0.0.1/?a=1', /without "\?"/],
  ])('%s', async (_what, url, message) => {
    const near = await open({ seed: 1 });
    await expect(near.sync.add({ name: 'cloud', url })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message) as string,
    });
    expect(await near.sync.list()).toEqual([]);
  });

  it.each<[string, RequestListener]>([
    ['a page', (_request, response) => response.end('<html>')],
    ['other JSON', (_request, response) => response.end('[]')],
    ['nothing at all', (_request, response) => response.writeHead(404).end()],
  ])('a server that answers with %s', async (_what, answer) => {
    const near = await open({ seed: 1 });
    await expect(near.sync.add({ name: 'cloud', url: await serve(answer) })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/expected a lab or an MLflow server/) as string,
    });
    expect(await near.sync.list()).toEqual([]);
  });

  it('the lab itself', async () => {
    const near = await open({ seed: 1 });
    await expect(near.sync.add({ name: 'me', url: near.url })).rejects.toThrow(/is this lab itself/);
  });

  it('a name that stands for another URL', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
    await near.sync.add({ name: 'cloud', url: far.url });
    await expect(near.sync.add({ name: 'cloud', url: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(near.sync.now('other')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('tokens', () => {
  it('are asked for, and written down nowhere', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2, token: TOKEN })];
    await expect(near.sync.add({ name: 'cloud', url: far.url })).rejects.toMatchObject({
      code: 'unauthorized',
    });
    const wrong = { name: 'cloud', url: far.url, token: `${TOKEN}-not` };
    await expect(near.sync.add(wrong)).rejects.toMatchObject({ code: 'unauthorized' });
    near.run('first');
    await near.sync.add({ name: 'cloud', url: far.url, token: TOKEN });
    await near.sync.now('cloud');
    expect(far.runs()).toHaveLength(1);
    const file = join(near.folder, 'sync', 'cloud.json');
    expect(readFileSync(file, 'utf8')).toBe('{"inMemory":true}');
    near.database.flush();
    expect(filesWithSecret(near.folder, TOKEN)).toEqual([]);
    expect(JSON.stringify(await near.sync.list())).not.toContain(TOKEN);
    // One that is refused later says so, and what is pending waits.
    await near.sync.add({ ...wrong });
    near.run('second');
    await expect(near.sync.now('cloud')).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await near.sync.list())[0]).toMatchObject({
      pending: { runs: 1 },
      lastError: expect.stringMatching(/refuses the token \(HTTP 401\)/) as string,
    });
    await near.sync.remove('cloud');
    expect(() => statSync(file)).toThrow(/ENOENT/);
  });
});

describe('a remote in trouble', () => {
  it('that can not be reached is added all the same, and says so', async () => {
    const near = await open({ seed: 1 });
    near.run('first');
    const status = await near.sync.add({ name: 'cloud', url: 'http://127.0.0.1:1' });
    expect(status).toMatchObject({
      pending: { runs: 1 },
      lastError: expect.stringMatching(/can't be reached/) as string,
    });
    expect(status.kind).toBeUndefined();
    await expect(near.sync.now('cloud')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('that answers 500 to all ends the pass; what it took before is not sent again', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
    let isFull = false;
    const url = await serve((request, response) => {
      if (isFull && request.method !== 'GET') {
        response.writeHead(500).end('database or disk is full');
        return;
      }
      void forward(far.url, request).then(({ status, body }) => response.writeHead(status).end(body));
    });
    await near.sync.add({ name: 'cloud', url });
    const runIds = ['a', 'b', 'c', 'd', 'e'].map((name) => near.run(name));
    await near.sync.now('cloud');
    isFull = true;
    for (const runId of runIds) near.log(runId, [{ key: 'x', value: 1, step: 1, timestampMs: 1 }]);
    await expect(near.sync.now('cloud')).rejects.toThrow(/answers 500 .* disk is full/);
    expect((await near.sync.list())[0]).toMatchObject({ pending: { runs: 5, points: 5 } });
    isFull = false;
    expect((await near.sync.now('cloud')).sent).toMatchObject({ points: 5, runs: 5 });
    for (const runId of runIds) expect(far.storedPoints(runId)).toEqual(near.storedPoints(runId));
  });

  it('whose experiment was deleted refuses its runs, and takes the others', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
    await near.sync.add({ name: 'cloud', url: far.url });
    const runId = near.run('first', 'gone');
    await near.sync.now('cloud');
    const { experimentId } = far.tracking.experiments.getByName('gone');
    far.tracking.experiments.delete(experimentId);
    near.log(runId, [{ key: 'x', value: 1, step: 1, timestampMs: 1 }]);
    const later = near.run('second', 'gone');
    near.run('third', 'kept');
    const { sent, status } = await near.sync.now('cloud');
    expect(sent).toMatchObject({ runs: 1, refused: [{ what: runId }, { what: later }] });
    expect(sent.refused[1]!.reason).toMatch(/"gone" was deleted at .* Restore it there, or leave it out/);
    expect(status).toMatchObject({ pending: { runs: 2, points: 1 }, refused: sent.refused });
    far.tracking.experiments.restore(experimentId);
    expect((await near.sync.now('cloud')).sent).toMatchObject({ runs: 2, points: 1, refused: [] });
    expect((await near.sync.list())[0]!.refused).toEqual([]);
  });

  it('that has a param with another value says which run it refuses', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
    await near.sync.add({ name: 'cloud', url: far.url });
    const runId = near.run('first');
    await near.sync.now('cloud');
    far.log(runId, [], { lr: '1' });
    near.log(runId, [{ key: 'x', value: 1, step: 1, timestampMs: 1 }], { lr: '2' });
    const { sent } = await near.sync.now('cloud');
    expect(sent.refused[0]!.reason).toMatch(/Params of a run can't be changed/);
  });

  it('that was put back from an older copy gets again what it lost', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
    await near.sync.add({ name: 'cloud', url: far.url });
    const runId = near.run('first');
    const points = Array.from({ length: 50 }, (_, step) => ({ key: 'x', value: step, step, timestampMs: 1 }));
    near.log(runId, points);
    await near.sync.now('cloud');
    far.tracking.settle();
    far.database.prepare('UPDATE sync_received_series SET points = 20').run([]);
    far.database.prepare('UPDATE tracking_blocks SET points = substr(points, 1, 20 * 24)').run([]);
    near.log(runId, [{ key: 'x', value: 50, step: 50, timestampMs: 1 }]);
    await near.sync.now('cloud');
    expect(far.storedPoints(runId)).toEqual(near.storedPoints(runId));
  });

  it('that was put back from a copy without a run gets all of it again', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
    await near.sync.add({ name: 'cloud', url: far.url });
    const runId = near.run('first');
    near.log(runId, [{ key: 'x', value: 1, step: 1, timestampMs: 1 }]);
    await near.write(runId, 'a.txt', 'words');
    await near.sync.now('cloud');
    far.tracking.settle();
    for (const table of ['tags', 'metrics', 'runs'])
      far.database.prepare(`DELETE FROM tracking_${table}`).run([]);
    near.log(runId, [{ key: 'x', value: 2, step: 2, timestampMs: 1 }]);
    expect((await near.sync.now('cloud')).sent).toMatchObject({ runs: 1, points: 2, files: 1 });
    expect(far.points(runId)).toEqual(near.points(runId));
  });

  it('that is another lab now is not taken for the one before', async () => {
    const [near, far, other] = [await open({ seed: 1 }), await open({ seed: 2 }), await open({ seed: 3 })];
    let target = far.url;
    const url = await serve((request, response) => {
      void forward(target, request).then(({ status, body }) => response.writeHead(status).end(body));
    });
    await near.sync.add({ name: 'cloud', url });
    near.run('first');
    await near.sync.now('cloud');
    target = other.url;
    await expect(near.sync.now('cloud')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/Remove the remote and add it again/) as string,
    });
    await near.sync.remove('cloud');
    await near.sync.add({ name: 'cloud', url });
    await near.sync.now('cloud');
    expect(other.runs()).toHaveLength(1);
  });
});

describe('labs that forward to each other', () => {
  it('do not send back what came from there', async () => {
    const [a, b] = [await open({ seed: 1 }), await open({ seed: 2 })];
    await a.sync.add({ name: 'b', url: b.url });
    await b.sync.add({ name: 'a', url: a.url });
    const [ofA, ofB] = [a.run('of a'), b.run('of b')];
    a.log(ofA, [{ key: 'x', value: 1, step: 1, timestampMs: 1 }]);
    for (let turn = 0; turn < 3; turn++)
      for (const [lab, to] of [
        [a, 'b'],
        [b, 'a'],
      ] as const)
        await lab.sync.now(to);
    expect(a.runs().map(({ info }) => info.runId)).toEqual([ofA, ofB]);
    expect(b.runs().map(({ info }) => info.runId)).toEqual([ofB, ofA]);
    expect(a.storedPoints(ofA)).toEqual(b.storedPoints(ofA));
    expect((await b.sync.now('a')).sent).toMatchObject({ runs: 0, points: 0 });
  });

  it('in a ring, and one that gets a run from two', async () => {
    const [a, b, c] = [await open({ seed: 1 }), await open({ seed: 2 }), await open({ seed: 3 })];
    await a.sync.add({ name: 'next', url: b.url });
    await a.sync.add({ name: 'also', url: c.url });
    await b.sync.add({ name: 'next', url: c.url });
    await c.sync.add({ name: 'next', url: a.url });
    const runId = a.run('of a');
    for (let turn = 0; turn < 3; turn++) {
      a.log(runId, [{ key: 'x', value: turn, step: turn, timestampMs: 1 }]);
      for (const lab of [a, b, c]) await lab.sync.now('next');
      await a.sync.now('also');
    }
    for (const lab of [a, b, c]) {
      expect(lab.runs()).toHaveLength(1);
      expect(lab.storedPoints(runId)).toEqual(['x 0 1 0', 'x 1 1 1', 'x 2 1 2']);
    }
  });

  it('take points of their own senders only', async () => {
    const [a, b] = [await open({ seed: 1 }), await open({ seed: 2 })];
    const runId = b.run('of b');
    const body = { sender: a.sync.labId, runId, series: [] };
    const answer = await fetch(`${b.url}/api/sluice/sync/points`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      404,
      { error_code: 'RESOURCE_DOES_NOT_EXIST' },
    ]);
  });
});

/** Passes a request on. */
async function forward(
  url: string,
  request: Parameters<RequestListener>[0],
): Promise<{ status: number; body: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const answer = await fetch(`${url}${request.url}`, {
    method: request.method ?? 'GET',
    ...(body.length > 0 && { body }),
  });
  return { status: answer.status, body: await answer.text() };
}
