import { join } from 'node:path';

import { SluiceError } from '../../contract';
import type { CommandContext } from '../commands/context';
import { onEngineDeath } from '../engine-death';
import { systemClock } from '../host-clock';
import { ended, tlsOf, tokenOf } from './listen-options';
import type { Services } from '../services';
import { hashOf, newToken } from './access-tokens';
import { isLoopback } from './addresses';
import { fingerprintOf, selfSignedCertificate } from './certificate';
import { checkHostOptions } from './host-options';
import type { HostOptions } from './host-options';
import { startHostServer } from './host-server';
import { KeptToken } from './kept-token';
import { openListener } from './listener';
import type { Listener } from './listener';
import { becomeUser, isRoot } from './privileges';
import { isJournal, ServiceManager } from './service-manager';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** What a person or a program has to know to come in. */
export interface HostAddress {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly certificateFingerprint?: string;
  /** Of this data folder, when it was made just now. */
  readonly token?: string;
}

/**
 * Runs the host until it is told to end. What needs root's rights comes first: the port and the files of TLS and the
 * token. Everything that touches the data folder comes after `--user`.
 * @param onReady is told once browsers can come.
 */
export async function runHost(
  context: CommandContext,
  options: HostOptions,
  onReady: (address: HostAddress) => void,
): Promise<void> {
  checkHostOptions(options, isRoot());
  const files = await tlsOf(options);
  const fromFile = options.tokenFile === undefined ? undefined : hashOf(await tokenOf(options.tokenFile));
  const secure = files !== undefined || options.tls !== undefined;
  const listener = await openListener({ host: options.host, port: options.port, secure });
  try {
    if (files !== undefined) listener.useCertificate(files);
    if (options.user !== undefined) becomeUser(options.user);
    const fingerprint =
      files === undefined ? await signItself(context, options, listener) : fingerprintOf(files.cert);
    await serve(context, options, { listener, fromFile, fingerprint }, onReady);
  } finally {
    await listener.close();
  }
}

interface Prepared {
  readonly listener: Listener;
  readonly fromFile: string | undefined;
  readonly fingerprint: string | undefined;
}

async function serve(
  context: CommandContext,
  options: HostOptions,
  { listener, fromFile, fingerprint }: Prepared,
  onReady: (address: HostAddress) => void,
): Promise<void> {
  const { appRoot, dataDir, log, signal } = context;
  const kept = new KeptToken(dataDir);
  const isPublic = !isLoopback(options.host);
  const printed = !isJournal(process.env);
  // The journal is a file like others: a token that stood there would be a secret in plain text.
  const made = isPublic && printed && fromFile === undefined && kept.read() === undefined;
  const services = await context.services({ servesConsoles: true });
  const token = made ? await kept.replace(systemClock) : undefined;
  if (fromFile === undefined && !printed && kept.read() === undefined) {
    log(`Nobody can log in yet: run "sluice host token --data-dir ${dataDir}" once.`);
  }
  const server = await startHostServer({
    services,
    listener,
    rendererDir: join(appRoot, 'out', 'renderer'),
    tokens: [fromFile === undefined ? kept.hash : () => fromFile],
    ...(isPublic || !printed ? {} : { launchToken: newToken() }),
    allowedHosts: options.allowedHost ?? [],
    behindProxy: options.insecureHttp ?? false,
    strictTransport: options.tlsCert !== undefined,
    sessionTimes: {
      idleMs: options.idleMinutes * MINUTE_MS,
      totalMs: options.sessionMinutes * MINUTE_MS,
    },
    log,
  });
  // Whoever reads that it is ready may end it at once.
  const over = ended(signal, downSignal(services), 'sluice host');
  const manager = new ServiceManager({ env: process.env, clock: systemClock, log });
  let reason: string | undefined;
  try {
    onReady({
      url: server.url,
      port: server.port,
      dataDir: services.info.dataDir,
      ...(fingerprint === undefined ? {} : { certificateFingerprint: fingerprint }),
      ...(token === undefined ? {} : { token }),
    });
    manager.ready();
    await over;
  } catch (thrown) {
    reason = SluiceError.from(thrown).message;
    throw thrown;
  } finally {
    manager.ending();
    await server.close(reason);
  }
}

/** Makes or takes the kept certificate, and renews it before it ends. @returns its fingerprint. */
async function signItself(
  context: CommandContext,
  options: HostOptions,
  listener: Listener,
): Promise<string | undefined> {
  if (options.tls === undefined) return undefined;
  const use = async (): Promise<string> => {
    const certificate = await selfSignedCertificate(context.dataDir, options.allowedHost ?? [], systemClock);
    listener.useCertificate(certificate);
    return certificate.fingerprint;
  };
  let known = await use();
  const renew = (): void => {
    use().then(
      (fingerprint) => {
        if (fingerprint !== known)
          context.log(`The certificate was renewed. Its SHA-256 is now ${fingerprint}`);
        known = fingerprint;
      },
      (thrown: unknown) =>
        context.log(`The certificate was not renewed: ${SluiceError.from(thrown).message}`),
    );
  };
  const timer = setInterval(renew, DAY_MS);
  timer.unref();
  listener.server.once('close', () => clearInterval(timer));
  return known;
}

function downSignal(services: Services): AbortSignal {
  const down = new AbortController();
  onEngineDeath(services, (reason) => down.abort(new SluiceError('engine-down', reason)));
  return down.signal;
}
