import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach } from 'vitest';

import type { TelemetryBatch } from '../../../contract';
import { EventBus } from '../../event-bus';
import type { Services } from '../../services';
import { newToken } from '../access-tokens';
import { startHostServer } from '../host-server';
import type { HostServer } from '../host-server';
import { openListener } from '../listener';
import type { HostRates } from '../rate-limits';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
}

type TelemetryListener = (batch: TelemetryBatch) => boolean | void;

/** A console's server over services that answer little, with two files to show and one that nobody may read. */
export class ConsoleServer {
  folder = '';
  bus = new EventBus();
  server!: HostServer;
  /** Who watches the telemetry. */
  telemetry: TelemetryListener | undefined;

  async start(rates?: Partial<HostRates>): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-server-'));
    const assets = join(this.folder, 'renderer', 'assets');
    mkdirSync(assets, { recursive: true });
    writeFileSync(join(this.folder, 'renderer', 'index.html'), '<title>Sluice</title>');
    writeFileSync(join(assets, 'a.js'), 'let a;');
    writeFileSync(join(this.folder, 'secret.json'), '{}');
    this.bus = new EventBus();
    this.server = await startHostServer({
      services: this.services(),
      listener: await openListener({ host: '127.0.0.1', port: 0, secure: false }),
      tokens: [],
      launchToken: newToken(),
      rendererDir: join(this.folder, 'renderer'),
      log: () => undefined,
      maxUploadBytes: 1000,
      ...(rates && { rates }),
    });
  }

  async stop(): Promise<void> {
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Without fetch, which would neither send a false Host nor `..` in a path. */
  ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { port } = this.server;
      const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  /** Of the printed address. */
  get token(): string {
    return new URL(this.server.url).searchParams.get('token') ?? '';
  }

  get bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  /** A new session's. */
  async cookie(): Promise<string> {
    const { headers } = await this.ask(this.server.url.slice(this.origin.length));
    return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  }

  private services(): Services {
    return {
      info: { version: '1', dataDir: join(this.folder, 'data') },
      bus: this.bus,
      telemetry: {
        subscribe: (listener: TelemetryListener) => {
          this.telemetry = listener;
          return () => (this.telemetry = undefined);
        },
      },
    } as unknown as Services;
  }
}

/** A server of its own for each test of a file; called once, outside of them. */
export function useConsoleServer(): ConsoleServer {
  const ground = new ConsoleServer();
  beforeEach(() => ground.start());
  afterEach(() => ground.stop());
  return ground;
}
