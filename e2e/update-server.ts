import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A generic server of updates: files by their names. */
export interface UpdateServer {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** By path, without the leading slash. What is not here is answered 404. */
  readonly files: Map<string, Answer>;
  readonly end: () => Promise<void>;
}

export async function startUpdateServer(): Promise<UpdateServer> {
  const asked: string[] = [];
  const files = new Map<string, Answer>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://server').pathname.slice(1);
    asked.push(path);
    const answer = files.get(path);
    if (answer === undefined) response.writeHead(404).end('not here');
    else answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    files,
    end: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

export function content(body: string | Buffer): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body);
  };
}

export function redirect(location: string): Answer {
  return (_request, response) => void response.writeHead(302, { location }).end();
}

/** Its first half, then nothing any more. */
export function brokenOff(body: Buffer): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  };
}

/** Half of it, a little more again and again until `isSeen`, then the rest. */
export function slowly(body: Buffer, isSeen: () => boolean): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': body.length });
    let at = Math.floor(body.length / 2);
    response.write(body.subarray(0, at));
    const timer = setInterval(() => {
      if (isSeen() || response.destroyed) {
        clearInterval(timer);
        response.end(body.subarray(at));
      } else response.write(body.subarray(at, (at += 16)));
    }, 100);
  };
}

/** `latest-linux.yml` as electron-builder writes it. */
export function latestLinux(version: string, path: string, file: Buffer): string {
  const sha512 = createHash('sha512').update(file).digest('base64');
  return [
    `version: ${version}`,
    'files:',
    `  - url: ${path}`,
    `    sha512: ${sha512}`,
    `    size: ${file.length}`,
    `path: ${path}`,
    `sha512: ${sha512}`,
    "releaseDate: '2026-11-27T16:00:00.000Z'",
    '',
  ].join('\n');
}
