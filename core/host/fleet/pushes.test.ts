import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';

import { SluiceError } from '../../contract';
import type { FleetPush, ModelDetail, ModelSummary } from '../../contract';
import { sha256Hex } from '../../storage';
import { writeZooModel, zooNetwork } from '../../zoo';
import { SimulatedBox } from '../bench-fleet/simulated-box';
import { EventBus } from '../event-bus';
import { systemClock } from '../host-clock';
import { Jobs } from '../jobs';
import { FLEET_TIMES } from './fleet-times';
import { KEPT_PUSHES } from './push-records';
import { startFleet } from './start-fleet';
import type { FleetService } from './start-fleet';
import { uploadFile } from './upload-file';

const VERSION = '1.2.3';
const TOKEN = 'secret-of-the-box';

let folder: string;
let source: string;
let sha256: string;
let bus: EventBus;
let service: FleetService;
let hosts: SimulatedBox[];

const models = {
  summary: (name: string) => ({ name, task: { kind: 'tensor' } }) as ModelSummary,
  inspect: () => Promise.resolve({ sourceSha256: sha256, provider: 'cpu' } as ModelDetail),
  sourcePath: () => source,
};

function open(): FleetService {
  return startFleet({
    dataDir: folder,
    appRoot: folder,
    version: VERSION,
    models,
    jobs: new Jobs(bus, systemClock),
    bus,
    resumesPushes: true,
    env: { SLUICE_FLEET_TOKENS_FILE: join(folder, 'tokens.json') },
    log: () => undefined,
    times: { ...FLEET_TIMES, pingMs: 200, figuresMs: 100 },
  });
}

async function attach(answers: Readonly<Record<string, (input: unknown) => unknown>> = {}): Promise<string> {
  const index = hosts.length;
  const host = await SimulatedBox.start({ index, version: VERSION, token: TOKEN, answers });
  hosts.push(host);
  return service.boxes.add({ url: host.url, name: `box ${index}`, token: TOKEN }).id;
}

const statesOf = ({ boxes }: FleetPush): readonly string[] => boxes.map(({ state }) => state);
const pushOf = (id: string): FleetPush => service.pushes.list().find((push) => push.id === id)!;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-push-'));
  source = join(folder, 'net.onnx');
  await writeZooModel(zooNetwork('tiny-cnn'), source, { seed: 1, weights: 'inline' });
  sha256 = sha256Hex(readFileSync(source));
  const tokens = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`box ${at}`, TOKEN]));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens));
  hosts = [];
  bus = new EventBus();
  service = open();
});
afterEach(async () => {
  await service.close();
  await Promise.all(hosts.map((host) => host.close()));
  rmSync(folder, { recursive: true, force: true });
});

describe('a push', () => {
  it('goes to several boxes, and is told', async () => {
    const ids = [await attach(), await attach()];
    const told: FleetPush[] = [];
    bus.subscribe((message) => {
      if (message.event === 'fleetPush') told.push(message.payload);
    });
    const { id } = await service.pushes.start('net', ids);
    expect(statesOf(await service.pushes.ended(id))).toEqual(['done', 'done']);
    await expect.poll(() => told.at(-1) && statesOf(told.at(-1)!)).toEqual(['done', 'done']);
  });

  it('sends nothing to a box that has the model', async () => {
    const id = await attach({
      'models.list': () => [{ name: 'net', weightBytes: 1, state: 'ready' }],
      'models.inspect': () => ({ sourceSha256: sha256 }),
    });
    const push = await service.pushes.start('net', [id]);
    expect((await service.pushes.ended(push.id)).boxes).toMatchObject([{ state: 'done', sentBytes: 0 }]);
  });

  it('leaves another model of that name alone', async () => {
    const id = await attach({
      'models.list': () => [{ name: 'net', weightBytes: 1, state: 'ready' }],
      'models.inspect': () => ({ sourceSha256: 'other' }),
    });
    const push = await service.pushes.start('net', [id]);
    expect((await service.pushes.ended(push.id)).boxes).toMatchObject([
      { state: 'failed', error: { code: 'conflict', message: /box 0 has another model called net/ } },
    ]);
  });

  it('that fails says why, and can be tried again', async () => {
    let isFull = true;
    const id = await attach({
      'models.import': () => {
        if (isFull) throw new SluiceError('io', 'The disk is full.');
        return {};
      },
    });
    const push = await service.pushes.start('net', [id]);
    expect((await service.pushes.ended(push.id)).boxes).toMatchObject([
      { state: 'failed', error: { code: 'io', message: 'The disk is full.' } },
    ]);
    isFull = false;
    service.pushes.retry(push.id);
    expect(statesOf(await service.pushes.ended(push.id))).toEqual(['done']);
  });

  it('waits for a box that is away, can be cancelled, and twice at once is refused', async () => {
    const id = await attach();
    await expect.poll(() => service.boxes.box(id).isOnline).toBe(true);
    await hosts[0]?.close();
    await expect.poll(() => service.boxes.box(id).isOnline).toBe(false);
    const push = await service.pushes.start('net', [id]);
    expect(statesOf(push)).toEqual(['waiting']);
    await expect(service.pushes.start('net', [id])).rejects.toMatchObject({ code: 'conflict' });
    expect(statesOf(service.pushes.cancel(push.id))).toEqual(['cancelled']);
    hosts = [];
  });

  it('that is over is remembered, and so many of them', async () => {
    const id = await attach();
    await expect.poll(() => service.boxes.box(id).isOnline).toBe(true);
    await hosts[0]?.close();
    await expect.poll(() => service.boxes.box(id).isOnline).toBe(false);
    hosts = [];
    const ids: string[] = [];
    for (let count = 0; count < KEPT_PUSHES + 5; count += 1) {
      const push = await service.pushes.start('net', [id]);
      service.pushes.cancel(push.id);
      ids.push(push.id);
    }
    await service.pushes.start('net', [id]);
    expect(service.pushes.list()).toHaveLength(KEPT_PUSHES + 1);
    expect(() => service.pushes.retry(ids[0]!)).toThrow(/no such push/);
  });

  it('goes on after a restart of this engine, and in one engine only', async () => {
    const id = await attach();
    const { port } = hosts[0]!;
    await expect.poll(() => service.boxes.box(id).isOnline).toBe(true);
    await hosts[0]?.close();
    await expect.poll(() => service.boxes.box(id).isOnline).toBe(false);
    const push = await service.pushes.start('net', [id]);
    await service.close();
    leftByAnother();
    service = open();
    await expect.poll(() => statesOf(pushOf(push.id))).toEqual(['waiting']);
    hosts = [await SimulatedBox.start({ index: 0, version: VERSION, token: TOKEN }, port)];
    await expect.poll(() => statesOf(pushOf(push.id)), { timeout: 20_000 }).toEqual(['done']);
  });

  it('of a model whose file is gone or another says so', async () => {
    const id = await attach();
    writeFileSync(source, 'another');
    await expect(service.pushes.start('net', [id])).rejects.toMatchObject({
      code: 'conflict',
      message: /no longer what net/,
    });
    rmSync(source);
    await expect(service.pushes.start('net', [id])).rejects.toMatchObject({
      code: 'not-found',
      message: /is gone/,
    });
  });

  /** As if the process that began it had ended. */
  function leftByAnother(): void {
    const path = join(folder, 'fleet-pushes.json');
    const text = readFileSync(path, 'utf8').replace(/"owner":"[^"]*"/g, '"owner":"1-1"');
    writeFileSync(path, text);
  }
});

describe('a file', () => {
  it('is sent as a job, and refused with a wrong token', async () => {
    const id = await attach();
    writeFileSync(source, Buffer.alloc(3_000_000));
    expect(await service.sendFile('j', id, source)).toBe('/uploads/0/model.onnx');
    expect(hosts[0]?.uploadedBytes).toBe(3_000_000);
    writeFileSync(source, 'short');
    const target = { url: hosts[0]!.url, token: 'wrong', certificateFingerprint: undefined };
    const { signal } = new AbortController();
    const sending = uploadFile({ target, path: source, name: 'n', onBytes: () => undefined, signal });
    await expect(sending).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('that is cancelled under way stops', async () => {
    const id = await attach();
    writeFileSync(source, Buffer.alloc(50_000_000));
    const abort = new AbortController();
    const sending = uploadFile({
      target: service.boxes.box(id).target,
      path: source,
      name: 'n',
      onBytes: () => abort.abort(),
      signal: abort.signal,
    });
    await expect(sending).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a certificate that no authority signed', () => {
  it('is taken by its fingerprint alone, and nothing is sent before', async () => {
    const made = await generate([{ name: 'commonName', value: 'box' }], { keyType: 'ec', curve: 'P-256' });
    const server = createServer({ cert: made.cert, key: made.private });
    const sockets = new WebSocketServer({ noServer: true });
    let requests = 0;
    server.on('upgrade', (request, socket, head) => {
      requests += 1;
      sockets.handleUpgrade(request, socket, head, () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const view = (id: string) => service.boxes.list().find((each) => each.id === id)!;

    const { id } = service.boxes.add({ url, token: TOKEN });
    await expect.poll(() => view(id).reason).toContain('No authority known here');
    service.boxes.retry(id, undefined, 'AB'.repeat(32));
    await expect.poll(() => view(id).reason).toContain('another certificate');
    expect(view(id).state).toBe('refused');
    expect(requests).toBe(0);
    service.boxes.retry(id, undefined, new X509Certificate(made.cert).fingerprint256);
    await expect.poll(() => requests).toBe(1);
    sockets.clients.forEach((client) => client.terminate());
    server.closeAllConnections();
    server.close();
  });
});
