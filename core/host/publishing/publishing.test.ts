import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { OipClient, PublishClient } from '../../serving';
import type { PublishedDeployment } from '../../serving';
import { sha256Hex } from '../../storage';
import { fileOf, inputOf, writeTestModel } from './test-support/models';
import { DEPLOY_TOKEN, startPublishingServer } from './test-support/publishing-server';
import type { PublishingOptions, PublishingServer } from './test-support/publishing-server';

const NAME = { servedAs: 'digits', model: 'Digits model' };

let files: string;
let first: string;
let second: string;
let fragile: string;
let data: string;
let server: PublishingServer;

beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'sluice-publish-files-'));
  first = await writeTestModel(files, 1);
  second = await writeTestModel(files, 2);
  fragile = await writeTestModel(files, 3, 'fragile');
});
afterAll(() => rmSync(files, { recursive: true, force: true }));
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'sluice-publish-'));
  server = await startPublishingServer({ dataDir: data });
});
afterEach(async () => {
  await server.close();
  rmSync(data, { recursive: true, force: true });
});

async function publish(
  path: string,
  version: number,
  sharePct = 100,
): Promise<readonly PublishedDeployment[]> {
  return server.publisher.publish({ ...NAME, version, sharePct, ...(await fileOf(path)) });
}

async function restart(options: Partial<PublishingOptions> = {}): Promise<void> {
  await server.close();
  server = await startPublishingServer({ dataDir: data, ...options });
}

/** The version that answered. */
async function ask(value = 0.5, version?: string): Promise<string> {
  const answer = await server.client.infer({
    model: 'digits',
    inputs: inputOf(value),
    ...(version !== undefined && { version }),
  });
  return answer.modelVersion;
}

async function countOf(version: string, requests: number, value?: number): Promise<number> {
  let count = 0;
  for (let asked = 0; asked < requests; asked += 1) if ((await ask(value)) === version) count += 1;
  return count;
}

const storedModels = (): readonly string[] =>
  readdirSync(join(data, 'models')).filter((name) => name !== '.removed');

describe('publishing to an endpoint', () => {
  it('answers by what was published, and keeps it over a restart', async () => {
    expect(await publish(first, 3)).toEqual([
      { ...NAME, stable: { version: 3, sharePct: 100, requests: 0, failures: 0 } },
    ]);
    expect(await ask()).toBe('3');
    const [{ stable }] = (await server.publisher.list()) as [PublishedDeployment];
    expect(stable).toMatchObject({ requests: 1, failures: 0 });
    expect(stable.medianMs).toBeGreaterThan(0);
    await restart();
    expect(await ask()).toBe('3');
    expect(await server.client.repositoryIndex()).toEqual([
      { name: 'digits', version: '3', state: 'READY', reason: '' },
    ]);
  });

  it('gives a canary about its share; a version that is named answers; metrics tell versions apart', async () => {
    await publish(first, 1);
    await publish(second, 2, 25);
    const canary = await countOf('2', 400);
    expect(canary).toBeGreaterThan(70);
    expect(canary).toBeLessThan(130);
    expect(await ask(0.5, '2')).toBe('2');
    expect(await ask(0.5, '1')).toBe('1');
    await expect(ask(0.5, '3')).rejects.toMatchObject({ code: 'not-found' });
    expect(await server.client.modelMetadata('digits')).toMatchObject({ versions: ['1', '2'] });
    expect(await server.publisher.list()).toMatchObject([
      {
        stable: { version: 1, sharePct: 75, requests: 401 - canary },
        canary: { version: 2, sharePct: 25, requests: canary + 1 },
      },
    ]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(
      `sluice_serving_requests_total{model="digits",version="2",outcome="ok",tier="edge"} ${canary + 1}`,
    );
    expect(metrics).toMatch(
      /sluice_serving_latency_seconds\{model="digits",version="2",quantile="0.95",tier="edge"\} [\d.e-]+/,
    );
  });

  it('sets the share, promotes, and goes back to the version before', async () => {
    await publish(first, 1);
    await publish(second, 2, 25);
    await server.publisher.setCanary('digits', 0);
    expect(await countOf('2', 20)).toBe(0);
    expect(await server.publisher.setCanary('digits', 100)).toMatchObject([
      { stable: { version: 2, sharePct: 100 }, previousVersion: 1 },
    ]);
    expect(await countOf('2', 20)).toBe(20);
    await restart();
    expect(await ask()).toBe('2');
    expect(await server.publisher.rollBack('digits')).toMatchObject([{ stable: { version: 1 } }]);
    expect(await ask()).toBe('1');
    await expect(server.publisher.rollBack('digits')).rejects.toMatchObject({ code: 'not-found' });
    expect(storedModels()).toHaveLength(1);
  });

  it('what a canary fails is answered by the stable version; rolled back, it is gone', async () => {
    await publish(first, 1);
    await publish(fragile, 2, 50);
    expect(await countOf('1', 40, 100)).toBe(40);
    const [{ stable, canary }] = (await server.publisher.list()) as [PublishedDeployment];
    expect(stable).toMatchObject({ requests: 40, failures: 0 });
    expect(canary!.failures).toBe(canary!.requests);
    expect(canary!.failures).toBeGreaterThan(5);
    await expect(ask(100, '2')).rejects.toMatchObject({ code: 'runtime' });
    expect(await server.publisher.rollBack('digits')).toEqual([
      expect.not.objectContaining({ canary: expect.anything() as unknown }),
    ]);
    expect(await ask()).toBe('1');
    expect(storedModels()).toHaveLength(1);
    // Another of that number begins anew.
    expect(await publish(second, 2, 50)).toMatchObject([{ canary: { requests: 0, failures: 0 } }]);
  });

  it('what was accepted is answered while a version is replaced and one is taken away', async () => {
    await publish(first, 1);
    await publish(second, 2, 50);
    const before = Array.from({ length: 12 }, () => ask());
    const promoted = server.publisher.setCanary('digits', 100);
    const during = Array.from({ length: 12 }, () => ask());
    await promoted;
    await publish(fragile, 3);
    for (const version of await Promise.all([...before, ...during])) expect(version).toMatch(/^[12]$/);
    expect(await ask()).toBe('3');
    await server.publisher.remove('digits');
    await expect(ask()).rejects.toMatchObject({ code: 'not-found' });
    expect(storedModels()).toEqual([]);
  });

  it('what a killed publication had put into the library is removed at the next start', async () => {
    await publish(first, 1);
    await server.close();
    const [library] = storedModels();
    const loose = [{ library, mark: '1-1' }];
    writeFileSync(join(data, 'published.json'), JSON.stringify({ models: [], loose }));
    server = await startPublishingServer({ dataDir: data });
    expect(storedModels()).toEqual([]);
    expect(JSON.parse(readFileSync(join(data, 'published.json'), 'utf8'))).toEqual({
      version: 1,
      content: { models: [], loose: [] },
    });
  });

  it('refuses a canary that does not fit beside the stable version, which goes on', async () => {
    await publish(first, 1);
    await restart({ budgetBytes: 150_000 });
    await expect(publish(second, 2, 25)).rejects.toMatchObject({
      code: 'budget-too-small',
      message: expect.stringContaining('Publish at 100%') as string,
    });
    expect(await ask()).toBe('1');
    await publish(second, 2);
    expect(await ask()).toBe('2');
    expect(storedModels()).toHaveLength(2);
  });

  it('two publishers at once: one is told of the other', async () => {
    const [one, two] = await Promise.allSettled([publish(first, 1), publish(second, 2)]);
    const refused = [one, two].filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'conflict' } }]);
    expect(await server.publisher.list()).toHaveLength(1);
    expect(storedModels()).toHaveLength(1);
  });

  it('refuses what is not the file that was announced, and what is no model', async () => {
    await publish(first, 1);
    const whole = await fileOf(second);
    const half = join(files, 'half.onnx');
    writeFileSync(half, readFileSync(second).subarray(0, whole.fileBytes / 2));
    const text = join(files, 'text.onnx');
    writeFileSync(text, 'no model at all');
    const send = (change: object): Promise<unknown> =>
      server.publisher.publish({ ...NAME, version: 2, sharePct: 25, ...whole, ...change });
    await expect(send({ sha256: sha256Hex(new Uint8Array(1)) })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('SHA-256') as string,
    });
    await expect(send(await fileOf(half))).rejects.toMatchObject({ code: 'bad-model' });
    await expect(send(await fileOf(text))).rejects.toMatchObject({ code: 'bad-model' });
    await expect(send({ servedAs: '../../etc' })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(send({ sharePct: 101 })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(send({ version: 1 })).rejects.toMatchObject({ code: 'conflict' });
    await expect(send({ servedAs: 'new' })).rejects.toMatchObject({ code: 'not-found' });
    expect(await ask()).toBe('1');
    expect(storedModels()).toHaveLength(1);
    await restart({ mostBytes: whole.fileBytes - 1 });
    await expect(send({})).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('at most') as string,
    });
  });

  it('takes models from whoever has the deploy token alone', async () => {
    const wrong = new PublishClient({ url: server.url, token: 'another-token-of-some-length' });
    const without = new PublishClient({ url: server.url });
    const version = { ...NAME, version: 1, sharePct: 100, ...(await fileOf(first)) };
    for (const client of [wrong, without]) {
      await expect(client.publish(version)).rejects.toMatchObject({ code: 'unauthorized' });
      await expect(client.remove('digits')).rejects.toMatchObject({ code: 'unauthorized' });
      await expect(client.rollBack('digits')).rejects.toMatchObject({ code: 'unauthorized' });
      await expect(client.setCanary('digits', 1)).rejects.toMatchObject({ code: 'unauthorized' });
      expect(await client.list()).toEqual([]);
    }
    await restart({ token: 'a-token-of-twenty-characters' });
    const user = new PublishClient({ url: server.url, token: 'a-token-of-twenty-characters' });
    await expect(user.publish(version)).rejects.toMatchObject({ code: 'unauthorized' });
    await publish(first, 1);
    const asker = new OipClient({ url: server.url, token: DEPLOY_TOKEN });
    expect((await asker.infer({ model: 'digits', inputs: inputOf(0) })).modelVersion).toBe('1');
    await asker.close();
    await restart({ deployToken: null });
    await expect(publish(second, 2)).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('--deploy-token-file') as string,
    });
  });
});
