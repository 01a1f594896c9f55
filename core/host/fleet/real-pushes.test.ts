import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { Events, FleetPush, FleetPushBox, ModelDetail } from '../../contract';
import { writeTinyChatFolder } from '../../llm/test-support/tiny-chat-folder';
import { tinyChatModel } from '../../llm/test-support/tiny-chat-model';
import { sha256Hex } from '../../storage';
import { writeZooModel, zooNetwork } from '../../zoo';
import { SoakDisk } from '../bench-soak/soak-disk';
import { HostProcess } from '../test-support/host-process';
import { Relay } from '../test-support/relay';
import { runCli } from '../test-support/run-cli';
import type { CliAnswer } from '../test-support/run-cli';
import { StandingHost } from '../test-support/standing-host';

/** Real engines on a busy machine of two cores. */
const SOON = { timeout: 120_000, interval: 100 };
const MIB = 2 ** 20;
/** Of mobilenet-v1 at half its width: 5 MiB, more than the buffers of a connection. */
const WEIGHTS = 'wide.weights';

let folder: string;
let engine: HostProcess;
let host: StandingHost;
let relay: Relay;
let box: string;

const left = (): readonly string[] => {
  try {
    return readdirSync(join(folder, 'box', 'pushed'));
  } catch {
    return [];
  }
};

async function importHere(name: string, file: string, options: { replace?: boolean } = {}): Promise<void> {
  await engine.request('models.import', {
    jobId: `${name} ${Math.random()}`,
    path: join(folder, file),
    name,
    ...options,
  });
}

async function stateOf({ id }: Pick<FleetPush, 'id'>, of = box): Promise<FleetPushBox> {
  const push = (await engine.request('fleet.pushes', {})).find((each) => each.id === id);
  return push!.boxes.find((each) => each.box === of)!;
}

async function ended(push: FleetPush, of = box): Promise<FleetPushBox> {
  await expect.poll(async () => (await stateOf(push, of)).state, SOON).toMatch(/done|failed|cancelled/);
  return stateOf(push, of);
}

async function pushHere(model: string, options: { keepSource?: boolean } = {}): Promise<FleetPushBox> {
  return ended(await engine.request('fleet.push', { model, boxes: [box], ...options }));
}

/** Folders with files that models came from. */
const sources = (of: string, model: string): readonly string[] =>
  readdirSync(join(folder, of, 'models', model)).filter((name) => name.startsWith('source-'));

const askBox = (request: 'models.list' | 'language.models', of = box): Promise<unknown> =>
  engine.request('fleet.ask', { box: of, request, input: {} });

async function attach(url: string, name: string): Promise<string> {
  return (await engine.request('fleet.add', { name, url, token: host.token })).id;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-real-push-'));
  relay = await Relay.start(0);
  [engine, host] = await Promise.all([
    HostProcess.start(join(folder, 'engine')),
    StandingHost.start(join(folder, 'box'), ['--allowed-host', new URL(relay.url).host]),
  ]);
  relay.port = host.port;
  box = await attach(relay.url, 'box');
  await writeZooModel(zooNetwork('mobilenet-v1-050'), join(folder, 'wide.onnx'), { seed: 1 });
}, 180_000);
afterAll(async () => {
  await engine.stop();
  await relay.cut();
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a network with weights beside it', () => {
  it('arrives whole over a connection that breaks, which costs what was under way', async () => {
    await importHere('wide', 'wide.onnx');
    const states = new Set<FleetPushBox['state']>();
    const bytes: number[] = [];
    const follows = engine.event('fleetPush', ({ boxes }: Events['fleetPush']) => {
      const [at] = boxes;
      if (at) states.add(at.state);
      if (at?.state === 'sending') bytes.push(at.sentBytes);
      return at?.state === 'done';
    });
    const before = relay.passedBytes;
    relay.breaksAtBytes = before + 3 * MIB;
    const done = await pushHere('wide');
    expect(done).toMatchObject({ state: 'done' });
    await follows;
    const { totalBytes } = done;
    expect(totalBytes).toBeGreaterThan(5 * MIB);
    expect(relay.breaksAtBytes).toBe(Infinity);
    expect(relay.passedBytes - before).toBeLessThan(totalBytes + 1.5 * MIB);
    expect([...states]).toEqual(expect.arrayContaining(['sending', 'importing', 'done']));
    expect(bytes.every((each) => each <= totalBytes)).toBe(true);
    expect(await askBox('models.list')).toMatchObject([{ name: 'wide', state: 'ready' }]);
    expect(left()).toEqual([]);
  }, 240_000);

  it('whose weights changed since is not sent', async () => {
    const path = join(folder, WEIGHTS);
    const weights = readFileSync(path);
    const others = Buffer.from(weights);
    others[100] = (others[100] ?? 0) ^ 1;
    writeFileSync(path, others);
    const pushing = engine.request('fleet.push', { model: 'wide', boxes: [box] });
    await expect(pushing).rejects.toMatchObject({
      code: 'conflict',
      message: /wide\.weights is no longer what wide/,
    });
    // Imported again it is another model, and the box has one of that name.
    await importHere('wide', 'wide.onnx', { replace: true });
    expect(await pushHere('wide')).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
    writeFileSync(path, weights);
  }, 240_000);

  it('is found in a folder below, as it was', async () => {
    const deep = join(folder, 'deep');
    mkdirSync(join(deep, 'my weights'), { recursive: true });
    const from = join(folder, 'below.onnx');
    await writeZooModel(zooNetwork('tiny-cnn'), from, { seed: 3 });
    // Names of one length: a place in the file's own bytes can be another.
    const [place, moved] = ['below.weights', 'my weights/be'];
    writeFileSync(join(deep, 'below.onnx'), replaced(readFileSync(from), place, moved));
    renameSync(join(folder, place), join(deep, moved));
    await importHere('below', 'deep/below.onnx');
    expect(await pushHere('below')).toMatchObject({ state: 'done' });
  }, 240_000);
});

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  const text = bytes.toString('latin1').replaceAll(from, to);
  return Buffer.from(text, 'latin1');
}

describe('a network that a browser uploaded', () => {
  it('is kept, by boxes too unless they are told not to', async () => {
    await writeZooModel(zooNetwork('tiny-cnn'), join(folder, 'sent.onnx'), { seed: 2, weights: 'inline' });
    const body = readFileSync(join(folder, 'sent.onnx'));
    const { origin, cookie } = engine;
    const answer = await fetch(`${origin}/upload?name=sent.onnx`, {
      method: 'POST',
      headers: { origin, cookie },
      body,
    });
    const { path } = (await answer.json()) as { path: string };
    await engine.request('models.import', { jobId: 'sent', path });
    expect(readdirSync(join(folder, 'engine')).includes('uploads')).toBe(false);
    expect(await pushHere('sent', { keepSource: false })).toMatchObject({ state: 'done' });
    expect(sources('engine', 'sent')).toHaveLength(1);
    expect(sources('box', 'sent')).toEqual([]);
    const kept = join(folder, 'engine', 'models', 'sent', sources('engine', 'sent')[0]!, 'sent.onnx');
    expect(sha256Hex(readFileSync(kept))).toBe(sha256Hex(body));
  }, 240_000);
});

describe('a network that was pushed', () => {
  let next: StandingHost;
  beforeAll(async () => {
    next = await StandingHost.start(join(folder, 'next'));
    const tokens = join(folder, 'box-tokens.json');
    writeFileSync(tokens, JSON.stringify({ next: next.token }), { mode: 0o600 });
    vi.stubEnv('SLUICE_FLEET_TOKENS_FILE', tokens);
    expect(await onBox('add', next.url, '--name', 'next')).toMatchObject({ code: 0 });
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await next.stop();
  });

  /** As an operator on the box does it. */
  const onBox = (...args: readonly string[]): Promise<CliAnswer> =>
    runCli(join(folder, 'box'), ['fleet', ...args]);

  it('is pushed on from there, with the weights beside it, when it is nowhere else any more', async () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    await writeZooModel(zooNetwork('tiny-cnn'), join(own, 'onward.onnx'), { seed: 4 });
    await importHere('onward', 'own/onward.onnx');
    expect(await pushHere('onward')).toMatchObject({ state: 'done' });
    rmSync(own, { recursive: true });
    expect(readdirSync(join(folder, 'box', 'models', 'onward', sources('box', 'onward')[0]!)).sort()).toEqual(
      ['onward.onnx', 'onward.weights'],
    );
    const pushed = await onBox('push', 'onward', '--to', 'next');
    expect(pushed.stderr + pushed.stdout).toMatch(/next +done/);
    const id = await attach(next.url, 'next');
    await expect
      .poll(() => askBox('models.list', id), SOON)
      .toMatchObject([{ name: 'onward', state: 'ready' }]);
    expect(await sourceOf('onward', id)).toEqual(await sourceOf('onward', box));
    // The third has it whole too.
    expect(sources('next', 'onward')).toHaveLength(1);
  }, 240_000);

  it('without its files says what to do instead', async () => {
    const refused = await onBox('push', 'sent', '--to', 'next');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/its files were not kept.* remove it here and push it here once more/);
  });
});

async function sourceOf(name: string, of: string): Promise<unknown> {
  const detail = await engine.request('fleet.ask', { box: of, request: 'models.inspect', input: { name } });
  const { sourceSha256, sourceBeside } = detail as Pick<ModelDetail, 'sourceSha256' | 'sourceBeside'>;
  return { sourceSha256, sourceBeside };
}

describe('a language model', () => {
  it('of one file arrives as it is', async () => {
    writeFileSync(join(folder, 'tiny.gguf'), tinyChatModel());
    await engine.request('language.import', { jobId: 'gguf', path: join(folder, 'tiny.gguf') });
    expect(await pushHere('tiny')).toMatchObject({ state: 'done' });
    const [here] = await engine.request('language.models', {});
    expect(await askBox('language.models')).toMatchObject([
      { name: 'tiny', state: 'ready', sha256: here?.sha256 },
    ]);
    expect(await pushHere('tiny')).toMatchObject({ state: 'done', sentBytes: 0 });
  }, 240_000);

  it('of a folder arrives with all its files, over a connection that breaks within them', async () => {
    await writeTinyChatFolder(join(folder, 'chat'), { files: 3, seed: 5 });
    await engine.request('language.import', { jobId: 'folder', path: join(folder, 'chat') });
    relay.breaksAtBytes = relay.passedBytes + MIB;
    expect(await pushHere('chat')).toMatchObject({ state: 'done' });
    expect(relay.breaksAtBytes).toBe(Infinity);
    const here = (await engine.request('language.models', {})).find(({ name }) => name === 'chat');
    expect(await askBox('language.models')).toContainEqual(
      expect.objectContaining({ name: 'chat', state: 'ready', sha256: here?.sha256 }),
    );
    expect(left()).toEqual([]);
  }, 240_000);
});

describe('a push', () => {
  it('goes on over the end of the box, with what had come', async () => {
    await importHere('again', 'wide.onnx');
    const before = relay.passedBytes;
    relay.breaksAtBytes = before + 3 * MIB;
    const push = await engine.request('fleet.push', { model: 'again', boxes: [box] });
    await expect.poll(() => relay.breaksAtBytes, SOON).toBe(Infinity);
    await host.kill();
    await host.startAgain();
    const done = await ended(push);
    expect(done).toMatchObject({ state: 'done' });
    expect(relay.passedBytes - before).toBeLessThan(done.totalBytes + 4 * MIB);
  }, 240_000);

  it('that is cancelled under way leaves nothing there', async () => {
    await importHere('never', 'wide.onnx');
    const under = engine.event(
      'fleetPush',
      ({ model, boxes: [at] }) => model === 'never' && at?.state === 'sending' && at.sentBytes > MIB,
    );
    relay.holdsAtBytes = relay.passedBytes + 2 * MIB;
    const push = await engine.request('fleet.push', { model: 'never', boxes: [box] });
    await under;
    await engine.request('fleet.cancelPush', { push: push.id });
    expect(await ended(push)).toMatchObject({ state: 'cancelled' });
    await expect.poll(left, SOON).toEqual([]);
    expect(await askBox('models.list')).not.toContainEqual(expect.objectContaining({ name: 'never' }));
  }, 240_000);

  it('of a file that is gone says so before anything is sent', async () => {
    renameSync(join(folder, 'wide.onnx'), join(folder, 'elsewhere.onnx'));
    const pushing = engine.request('fleet.push', { model: 'again', boxes: [box] });
    await expect(pushing).rejects.toMatchObject({
      code: 'not-found',
      message: /imported from .*wide\.onnx, which is gone/,
    });
    renameSync(join(folder, 'elsewhere.onnx'), join(folder, 'wide.onnx'));
  });
});

describe('a box whose disk is full', () => {
  it('says so at once, and takes the model when there is room', async ({ skip }) => {
    const disk = SoakDisk.make(join(folder, 'small'), 64 * MIB);
    if (!disk.isOwn) skip('this user may not mount a disk');
    const small = await StandingHost.start(disk.folder);
    try {
      const id = await attach(small.url, 'small');
      disk.fill();
      const push = await engine.request('fleet.push', { model: 'again', boxes: [id] });
      expect(await ended(push, id)).toMatchObject({
        state: 'failed',
        error: { code: 'io', message: /does not fit on the box's disk: it takes .* more, and 0 B are free/ },
      });
      disk.free();
      await engine.request('fleet.retryPush', { push: push.id });
      expect(await ended(push, id)).toMatchObject({ state: 'done' });
    } finally {
      await small.stop();
      disk.remove();
    }
  }, 240_000);
});
