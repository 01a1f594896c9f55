import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import type { FleetBox } from '../../contract';
import { HostProcess } from '../test-support/host-process';
import { StandingHost } from '../test-support/standing-host';

const SOON = { timeout: 60_000, interval: 100 };
const OTHER = Array.from({ length: 32 }, () => 'AB').join(':');

let folder: string;
let host: StandingHost;
let engine: HostProcess;

const viewOf = async (id: string): Promise<FleetBox> =>
  (await engine.request('fleet.list', {})).find((each) => each.id === id)!;
const untilState = (id: string, state: FleetBox['state']): Promise<void> =>
  expect.poll(async () => (await viewOf(id)).state, SOON).toBe(state);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
  [host, engine] = await Promise.all([
    StandingHost.start(join(folder, 'box'), ['--tls', 'self-signed']),
    HostProcess.start(join(folder, 'engine')),
  ]);
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('a host that signs its own certificate is taken by that certificate alone', async () => {
  const { url, token } = host;
  const printed = host.fingerprint!;
  const { id } = await engine.request('fleet.add', { url, token });
  await untilState(id, 'refused');
  expect((await viewOf(id)).reason).toContain(`expected one of an authority, found ${printed} (SHA-256)`);

  await engine.request('fleet.retry', { box: id, certificateFingerprint: OTHER });
  await untilState(id, 'refused');
  expect((await viewOf(id)).reason).toContain(`expected SHA-256 ${OTHER}, found ${printed}`);

  await engine.request('fleet.retry', { box: id, certificateFingerprint: printed });
  await untilState(id, 'online');
  // Uploads are requests of their own, pinned as well.
  const path = await engine.request('fleet.sendFile', { jobId: 'file', box: id, path: __filename });
  expect(path).toMatchObject({ path: expect.stringContaining('tls-boxes') as string });
}, 120_000);

it('a host whose certificate was renewed is refused until the new one is entered', async () => {
  const [{ id }] = (await engine.request('fleet.list', {})) as [FleetBox];
  const before = host.fingerprint!;
  await host.kill();
  rmSync(join(folder, 'box', 'host', 'certificate.pem'));
  await host.startAgain();
  const renewed = host.fingerprint!;
  expect(renewed).not.toBe(before);
  await untilState(id, 'refused');
  expect((await viewOf(id)).reason).toContain(`expected SHA-256 ${before}, found ${renewed}`);
  await engine.request('fleet.retry', { box: id, certificateFingerprint: renewed });
  await untilState(id, 'online');
}, 120_000);
