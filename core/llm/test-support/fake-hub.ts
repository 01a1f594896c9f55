import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file of the hub; large ones (`lfs`) come by a redirect from another host. */
export interface FakeFile {
  readonly bytes: Uint8Array;
  readonly lfs?: boolean;
  /** What the list says instead of the truth. */
  readonly listed?: Record<string, unknown>;
}

export interface FakeRequest {
  readonly host: 'hub' | 'cdn';
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers a request in the place of the hub, once. */
export type Fault = (request: IncomingMessage, response: ServerResponse, file: FakeFile) => void;

export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

/** Gives the file as ever, and breaks the connection after so many bytes of it. */
export const cutAfter =
  (byteLength: number): Fault =>
  (request, response, file) => {
    sendFile(request, response, file, { afterBytes: byteLength, cut: () => response.destroy() });
  };

/** Gives the file with one bit flipped. */
export const flipped: Fault = (request, response, file) => {
  const bytes = Uint8Array.from(file.bytes);
  bytes[bytes.length >> 1]! ^= 1;
  sendFile(request, response, { ...file, bytes });
};

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A local server that behaves like a Hugging Face hub with one repository, and its CDN on another port. */
export class FakeHub {
  readonly files = new Map<string, FakeFile>();
  readonly requests: FakeRequest[] = [];
  /** Taken one by one by requests for files at the hub, and at the CDN, and by requests to its API. */
  readonly faults: Record<'resolve' | 'cdn' | 'api', Fault[]> = { resolve: [], cdn: [], api: [] };
  repo = 'acme/Tiny-GGUF';
  revisions: readonly string[] = ['main', COMMIT];
  commit: string = COMMIT;
  private cutting: { readonly atByte: number; readonly cut: () => void } | undefined;
  /** What it wants of a caller. */
  token: string | undefined;
  pageSize = 2;
  private readonly hub: Server;
  private readonly cdn: Server;

  private constructor() {
    this.hub = createServer((request, response) => this.answerHub(request, response));
    this.cdn = createServer((request, response) => this.answerCdn(request, response));
  }

  static async start(): Promise<FakeHub> {
    const fake = new FakeHub();
    await Promise.all(
      [fake.hub, fake.cdn].map(
        (server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve())),
      ),
    );
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.hub)}`;
  }

  get cdnUrl(): string {
    return `http://127.0.0.1:${portOf(this.cdn)}`;
  }

  add(path: string, bytes: Uint8Array | string, options: Omit<FakeFile, 'bytes'> = {}): void {
    this.files.set(path, { bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, ...options });
  }

  /**
   * Gives the file as ever, and breaks the connection once its reader has told that so many more bytes of it arrived:
   * what has not been read yet is lost with a connection.
   */
  cutOnce(byteLength: number): Fault {
    return (request, response, file) => {
      const cut = (start: number): void => {
        const atByte = Math.min(start + byteLength, file.bytes.length);
        this.cutting = { atByte, cut: () => response.destroy() };
        if (byteLength === 0) this.arrived(start);
      };
      sendFile(request, response, file, { afterBytes: byteLength, cut });
    };
  }

  /** The reader has the file up to this byte. */
  arrived(bytes: number): void {
    if (!this.cutting || bytes < this.cutting.atByte) return;
    this.cutting.cut();
    this.cutting = undefined;
  }

  /** Forgets files, faults, requests and settings. */
  reset(): void {
    this.files.clear();
    this.requests.length = 0;
    for (const faults of Object.values(this.faults)) faults.length = 0;
    this.repo = 'acme/Tiny-GGUF';
    this.token = undefined;
    this.commit = COMMIT;
    this.cutting = undefined;
  }

  async close(): Promise<void> {
    for (const server of [this.hub, this.cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    const { path, query } = this.note('hub', request);
    const isApi = path.startsWith('/api/');
    const name = isApi ? '' : path.replace(/^.*\/resolve\/[^/]+\//, '');
    const file = this.files.get(name);
    const fault = isApi ? this.faults.api.shift() : file && this.faults.resolve.shift();
    if (fault) {
      fault(request, response, file ?? { bytes: new Uint8Array(0) });
      return;
    }
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      sendJson(response, 401, { error: 'Invalid username or password.' });
      return;
    }
    const [, repo, rest] = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
    if (repo !== this.repo) {
      notFound(response, 'RepoNotFound');
      return;
    }
    const revision = isApi ? rest?.split('/')[1] : /^resolve\/([^/]+)\//.exec(rest ?? '')?.[1];
    if (!this.revisions.includes(revision ?? '')) {
      notFound(response, 'RevisionNotFound');
      return;
    }
    if (rest?.startsWith('revision/')) {
      sendJson(response, 200, {
        _id: 'x',
        id: this.repo,
        sha: this.commit,
        private: false,
        gated: false,
      });
      return;
    }
    if (rest?.startsWith('tree/')) {
      this.sendTree(response, path, query);
      return;
    }
    if (!file) {
      notFound(response, 'EntryNotFound');
      return;
    }
    if (!file.lfs) {
      sendFile(request, response, file);
      return;
    }
    response.writeHead(302, {
      location: `${this.cdnUrl}/blobs/${name}`,
      'x-linked-size': String(file.bytes.length),
      'x-linked-etag': `"${sha256(file.bytes)}"`,
      'x-repo-commit': this.commit,
    });
    response.end();
  }

  private answerCdn(request: IncomingMessage, response: ServerResponse): void {
    const { path } = this.note('cdn', request);
    const file = this.files.get(path.replace(/^\/blobs\//, ''));
    if (!file) {
      notFound(response, 'NoSuchKey');
      return;
    }
    const fault = this.faults.cdn.shift();
    if (fault) {
      fault(request, response, file);
      return;
    }
    sendFile(request, response, file);
  }

  private sendTree(response: ServerResponse, path: string, query: URLSearchParams): void {
    const from = Number(query.get('cursor') ?? 0);
    const entries = [...this.files].map(([name, file]) => treeEntry(name, file));
    const next = from + this.pageSize;
    const link =
      next < entries.length
        ? { link: `<${this.url}${path}?recursive=true&expand=false&cursor=${next}>; rel="next"` }
        : {};
    sendJson(response, 200, entries.slice(from, next), link);
  }

  private note(
    host: FakeRequest['host'],
    { url = '', headers }: IncomingMessage,
  ): { path: string; query: URLSearchParams } {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const path = decodeURIComponent(pathname);
    const { range, authorization, 'if-range': ifRange } = headers;
    this.requests.push({ host, path, range, authorization, ifRange: ifRange as string | undefined });
    return { path, query: searchParams };
  }
}

function treeEntry(path: string, { bytes, lfs, listed }: FakeFile): object {
  const entry = lfs
    ? {
        oid: '1'.repeat(40),
        size: bytes.length,
        lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 },
      }
    : { oid: gitSha1(bytes), size: bytes.length };
  return { type: 'file', path, ...entry, ...listed };
}

interface Broken {
  readonly afterBytes: number;
  /** Told where the part began, once it was written. */
  readonly cut: (startByte: number) => void;
}

/** With ranges, as CDNs and the hub itself give them. */
function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes }: FakeFile,
  broken?: Broken,
): void {
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const common = { etag, 'accept-ranges': 'bytes' };
  if (isSame && start >= bytes.length && start > 0) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const body = isSame ? bytes.subarray(start) : bytes;
  const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  const isPart = isSame && start > 0;
  response.writeHead(isPart ? 206 : 200, {
    ...common,
    ...(isPart && range),
    'content-length': String(body.length),
  });
  if (!broken) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  const part = body.subarray(0, broken.afterBytes);
  const cut = (): void => broken.cut(isSame ? start : 0);
  if (part.length === 0) setImmediate(cut);
  else response.write(part, cut);
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function notFound(response: ServerResponse, code: string): void {
  sendJson(response, 404, { error: code }, { 'x-error-code': code });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function gitSha1(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
