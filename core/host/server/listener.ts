import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

import { SluiceError } from '../../contract';
import type { TlsFiles } from '../../serving';
import { isLoopback, rateKey } from './addresses';

export interface ListenOptions {
  /** An address or a name of this machine. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Without a certificate yet: see `useCertificate`. */
  readonly secure: boolean;
}

/** A port that is ours. Until the console is served there, answers are 503. */
export interface Listener {
  readonly server: Server;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Answers from now on. */
  serve(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
  /** From now on; connections that are open keep theirs. @throws SluiceError `bad-input`. */
  useCertificate(files: TlsFiles): void;
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
/** A connection on which nothing moves is closed, unless it is a socket. */
const IDLE_TIMEOUT_MS = 60_000;
/** Of the largest upload over a slow line. */
const REQUEST_TIMEOUT_MS = 6 * 3_600_000;
const MAX_HEADER_BYTES = 16 << 10;
const MAX_HEADERS = 64;
const MAX_CONNECTIONS = 512;
/** One machine must not take all of them. */
const MAX_CONNECTIONS_PER_ADDRESS = 128;

const SERVER_OPTIONS: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: 5_000,
};

/** @throws SluiceError `conflict` when the port is taken, `io` when it can't be had. */
export async function openListener({ host, port, secure }: ListenOptions): Promise<Listener> {
  const server = secure
    ? createTlsServer({ ...SERVER_OPTIONS, minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_TIMEOUT_MS })
    : createServer(SERVER_OPTIONS);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_TIMEOUT_MS;
  limitPerAddress(server);
  let answer = (_request: IncomingMessage, response: ServerResponse): void => notNow(response);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => answer(request, response));
  await listen(server, host, port);
  return {
    server,
    secure,
    host,
    port: (server.address() as AddressInfo).port,
    serve: (next) => (answer = next),
    useCertificate: (files) => useCertificate(server, files),
    close() {
      answer = (_request, response) => notNow(response);
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function notNow(response: ServerResponse): void {
  response
    .writeHead(503, { 'retry-after': '1', connection: 'close' })
    .end('Starting or ending; ask again.\n');
}

function useCertificate(server: Server, { cert, key }: TlsFiles): void {
  if (!(server instanceof TlsServer)) return;
  try {
    server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `TLS: expected a PEM certificate and its private key, found what can't be used: ${reason}.`,
      {},
      { cause },
    );
  }
}

/** A machine's own programs, and a proxy on it, are not counted. */
function limitPerAddress(server: Server): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    if (address === undefined || isLoopback(address)) return;
    const key = rateKey(address);
    const count = (open.get(key) ?? 0) + 1;
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
    if (count > MAX_CONNECTIONS_PER_ADDRESS) socket.destroy();
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const what = taken
        ? `Port ${port} is taken. Choose another with --port (0: any free one).`
        : `Can't listen on ${host}, port ${port}: ${cause.message}.`;
      reject(new SluiceError(taken ? 'conflict' : 'io', what, { host, port }, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
