import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import { createNetworkNamespace, qdiscArgs } from './network-namespace';
import type { NetworkNamespace } from './network-namespace';

function open(skip: (reason: string) => never): NetworkNamespace {
  let reason = '';
  return createNetworkNamespace((why) => (reason = why)) ?? skip(reason);
}

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

/** Sends that many bytes to the host and tells over its own clock how long until the host said it had them all. */
const SENDER = `
  const [host, port, bytes] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), host, () => {
    const start = process.hrtime.bigint();
    socket.end(Buffer.alloc(Number(bytes)));
    socket.once('data', () => console.log(Number(process.hrtime.bigint() - start) / 1e6));
  });`;

/** Milliseconds for bytes to come from inside to this process. */
async function tookMs(namespace: NetworkNamespace, bytes: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.resume();
    socket.once('end', () => socket.end('all'));
  });
  server.listen(0, namespace.hostAddress);
  await once(server, 'listening');
  const args = ['-e', SENDER, namespace.hostAddress, String((server.address() as AddressInfo).port)];
  const child = namespace.spawn(process.execPath, [...args, String(bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  server.close();
  return Number(said.toString());
}

describe('a network namespace', () => {
  it('is a link whose rate holds, and changes while the namespace is used', async ({ skip }) => {
    const namespace = open(skip);
    try {
      const bytes = 1e6;
      const bytesPerSec = 2e6;
      await namespace.shape({ delayMs: 0, bytesPerSec });
      const slowMs = await tookMs(namespace, bytes);
      // A busy machine takes longer; less would mean that the rate did not hold.
      expect(slowMs).toBeGreaterThan((bytes / bytesPerSec) * 1000 * 0.9);
      await namespace.shape({ delayMs: 0, bytesPerSec: Infinity });
      expect(await tookMs(namespace, bytes)).toBeLessThan(slowMs);
      if (namespace.canDelay) return;
      await expect(namespace.shape({ delayMs: 5, bytesPerSec: 1e6 })).rejects.toThrow(/sch_netem.*proxy/);
    } finally {
      namespace.remove();
    }
  });

  it('leaves nothing behind, and ends what runs inside', async ({ skip }) => {
    const namespace = open(skip);
    const other = open(skip);
    expect(other.address).not.toBe(namespace.address);
    const child = namespace.spawn('sleep', ['1000'], { stdio: 'ignore' });
    const gone = once(child, 'exit');
    namespace.remove();
    other.remove();
    namespace.remove();
    expect(await gone).toEqual([null, 'SIGKILL']);
    expect(ip('netns', 'list')).not.toContain(`sluice-${process.pid}-`);
    expect(ip('-o', 'link', 'show')).not.toContain(`sl${process.pid}-`);
  });

  it('of a process that was killed is removed by the next', ({ skip }) => {
    open(skip).remove();
    const { pid } = spawnSync('true');
    ip('netns', 'add', `sluice-${pid}-1`);
    ip('link', 'add', `sl${pid}-1o`, 'type', 'veth', 'peer', 'name', `sl${pid}-1i`);
    open(skip).remove();
    expect(ip('netns', 'list')).not.toContain(`sluice-${pid}-`);
    expect(ip('-o', 'link', 'show')).not.toContain(`sl${pid}-`);
  });

  it('says why there is none, and leaves nothing', ({ skip }) => {
    open(skip).remove();
    const { PATH } = process.env;
    process.env['PATH'] = '/nowhere';
    let reason = '';
    const made = createNetworkNamespace((why) => (reason = why));
    process.env['PATH'] = PATH;
    expect(made).toBeUndefined();
    expect(reason).toMatch(/no command "ip"; install iproute2/);
  });
});

describe('arguments of tc', () => {
  it.each([
    [
      ['a'],
      { delayMs: 0, bytesPerSec: 1e6 },
      false,
      'qdisc replace dev a root tbf rate 8000000bit burst 6056 limit 400000',
    ],
    [
      ['a', 'n'],
      { delayMs: 0, bytesPerSec: 1e3 },
      false,
      '-n n qdisc replace dev a root tbf rate 8000bit burst 6056 limit 131072',
    ],
    [
      ['a'],
      { delayMs: 0, bytesPerSec: Infinity },
      false,
      'qdisc replace dev a root tbf rate 32000000000bit burst 20000000 limit 1600000000',
    ],
    [
      ['a'],
      { delayMs: 20, bytesPerSec: 1e6 },
      true,
      'qdisc replace dev a root netem limit 378 delay 20ms rate 8000000bit',
    ],
  ])('%j %j, with netem: %s', (card, conditions, canDelay, args) => {
    expect(qdiscArgs(card, conditions, canDelay).join(' ')).toBe(args);
  });
});
