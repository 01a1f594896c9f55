import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import type { HostClock } from '../host-clock';
import type { TlsFiles } from '../../serving';
import { ioError, writeFileAtomic } from '../../storage';
import { ownNames, plainAddress } from './addresses';

const DAY_MS = 86_400_000;
/** What browsers and Apple's systems take at most of a certificate that a person chose to trust. */
const VALID_MS = 825 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Edge devices start with a clock that is behind. */
const BACKDATED_MS = DAY_MS;

export interface Certificate extends TlsFiles {
  /** SHA-256 of the certificate, `AB:CD:...` as OpenSSL prints it. */
  readonly fingerprint: string;
  readonly endsMs: number;
  /** Whether it was made just now, so that whoever pinned another has to pin this one. */
  readonly isNew: boolean;
}

/** SHA-256 of a PEM certificate, of the first one in a chain. */
export function fingerprintOf(cert: string | Uint8Array): string {
  return new X509Certificate(Buffer.from(cert)).fingerprint256;
}

/**
 * The certificate that this data folder's host signs itself: the kept one, or a new one when there is none or it ends
 * within 30 days. The private key is its owner's to read only.
 * @param names beside the machine's own.
 * @throws SluiceError `io`.
 */
export async function selfSignedCertificate(
  dataDir: string,
  names: readonly string[],
  clock: HostClock,
): Promise<Certificate> {
  const folder = join(dataDir, 'host');
  const paths = { cert: join(folder, 'certificate.pem'), key: join(folder, 'certificate-key.pem') };
  const kept = await keptFiles(paths);
  if (kept !== undefined && kept.endsMs - clock.nowMs() > RENEW_BEFORE_MS) return kept;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw ioError(`Can't create ${folder}`, cause);
  });
  const made = await generate(names, clock.nowMs());
  // The key first: a crash in between leaves a pair that does not match, which is made anew.
  await writeFileAtomic(paths.key, made.key, 0o600);
  await writeFileAtomic(paths.cert, made.cert, 0o644);
  return { ...made, ...factsOf(made.cert), isNew: true };
}

async function keptFiles(paths: Record<'cert' | 'key', string>): Promise<Certificate | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(paths.cert), readFile(paths.key)]);
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return undefined;
    return { cert, key, ...factsOf(cert), isNew: false };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EIO') throw ioError(`Can't read ${paths.key}`, cause);
    return undefined; // none yet, or one that can't be used: a new one is made
  }
}

function factsOf(cert: string | Uint8Array): Pick<Certificate, 'fingerprint' | 'endsMs'> {
  const { fingerprint256, validTo } = new X509Certificate(Buffer.from(cert));
  return { fingerprint: fingerprint256, endsMs: Date.parse(validTo) };
}

async function generate(names: readonly string[], nowMs: number): Promise<{ cert: Buffer; key: Buffer }> {
  const { generate: selfSign } = await import('selfsigned');
  const bare = names.map((name) => plainAddress(name.replace(/:\d+$/, '')));
  const all = [...new Set(['localhost', ...ownNames(), ...addresses(), ...bare])];
  const made = await selfSign([{ name: 'commonName', value: ownNames()[0] ?? 'sluice' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - BACKDATED_MS),
    notAfterDate: new Date(nowMs + VALID_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: all.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
  });
  return { cert: Buffer.from(made.cert), key: Buffer.from(made.private) };
}

/** Without those that hold on one link only: their names have a zone, which certificates do not know. */
function addresses(): readonly string[] {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return found.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'));
}
