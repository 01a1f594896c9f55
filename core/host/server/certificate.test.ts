import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../test-support/fake-clock';
import { selfSignedCertificate } from './certificate';

const DAY_MS = 86_400_000;
let dataDir: string;
let clock: FakeClock;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-certificate-'));
  clock = new FakeClock();
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const certificate = (...names: string[]): ReturnType<typeof selfSignedCertificate> =>
  selfSignedCertificate(dataDir, names, clock);

describe('the certificate that the host signs', () => {
  it('is for this machine by every name, and for a server only', async () => {
    const parsed = new X509Certificate((await certificate('box.example:443')).cert);
    for (const name of ['localhost', hostname(), 'box.example']) expect(parsed.checkHost(name)).toBeDefined();
    expect(parsed.checkIP('127.0.0.1')).toBeDefined();
    expect(parsed.checkHost('other.example')).toBeUndefined();
    expect(parsed.ca).toBe(false);
    expect(parsed.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect(parsed.verify(parsed.publicKey)).toBe(true);
  });

  it('has the fingerprint that others compute', async () => {
    const { cert, fingerprint } = await certificate();
    const digest = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
    expect(fingerprint.replaceAll(':', '').toLowerCase()).toBe(digest);
  });

  it('is kept, its key for its owner only', async () => {
    const first = await certificate();
    const again = await certificate();
    expect([first.isNew, again.isNew]).toEqual([true, false]);
    expect(again.fingerprint).toBe(first.fingerprint);
    expect(statSync(join(dataDir, 'host', 'certificate-key.pem')).mode & 0o777).toBe(0o600);
  });

  it('is renewed before it ends', async () => {
    const first = await certificate();
    const validMs = first.endsMs - clock.nowMs();
    clock.spend(validMs - 31 * DAY_MS);
    expect((await certificate()).isNew).toBe(false);
    clock.spend(2 * DAY_MS);
    const renewed = await certificate();
    expect(renewed.isNew).toBe(true);
    expect(renewed.endsMs - clock.nowMs()).toBeGreaterThan(800 * DAY_MS);
  });

  it.each(['certificate.pem', 'certificate-key.pem'])('is made anew when %s can’t be used', async (name) => {
    const first = await certificate();
    const path = join(dataDir, 'host', name);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 80));
    const next = await certificate();
    expect(next.isNew).toBe(true);
    expect(next.fingerprint).not.toBe(first.fingerprint);
  });
});
