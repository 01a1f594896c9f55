import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import { decodeWire, encodeWire, SluiceError, TELEMETRY_SERIES } from '../../contract';
import type { EngineMessage, EventName, Events, Reply, TelemetryBatch } from '../../contract';
import { isoTime, systemClock } from '../host-clock';

export interface SimulatedBoxOptions {
  /** Among its like; its figures depend on it. */
  readonly index: number;
  readonly version: string;
  readonly token: string;
  /** Answers instead of its own, by request; what they throw is the reply's error. */
  readonly answers?: Readonly<Record<string, (input: unknown) => unknown>>;
}

const GIB = 2 ** 30;
const TELEMETRY_MS = 250;
const SAMPLES = 1;

/**
 * A box by its protocol alone: the socket, the upload and the figures of `sluice host`, without an engine behind them. It
 * has models and load as a busy box would, and tells telemetry as often.
 */
export class SimulatedBox {
  private readonly sockets = new WebSocketServer({ noServer: true });
  private readonly watching = new Set<WebSocket>();
  private readonly models: { name: string; weightBytes: number; state: string }[];
  private timer: NodeJS.Timeout | undefined;
  /** Bytes of uploads. */
  uploadedBytes = 0;

  private constructor(
    private readonly options: SimulatedBoxOptions,
    private readonly server: Server,
  ) {
    this.models = Array.from({ length: 6 }, (_, at) => ({
      name: `mobilenet-v1-${at}`,
      weightBytes: (at + 1) * 2_000_000,
      state: 'ready',
    }));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(request, socket, head),
    );
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.upload(request, response),
    );
  }

  static async start(options: SimulatedBoxOptions, port = 0): Promise<SimulatedBox> {
    const server = createServer();
    const box = new SimulatedBox(options, server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return box;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.sockets.clients.size;
  }

  get isWatched(): boolean {
    return this.watching.size > 0;
  }

  emit<E extends EventName>(event: E, payload: Events[E]): void {
    const frame = encodeWire({ event, payload });
    for (const client of this.sockets.clients) client.send(frame);
  }

  /** Any bytes, as a box that is broken or hostile may send. */
  sendRaw(frame: Uint8Array | string): void {
    for (const client of this.sockets.clients) client.send(frame);
  }

  /** Breaks every connection. */
  drop(): void {
    for (const client of this.sockets.clients) client.terminate();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.drop();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private isOurs({ headers }: IncomingMessage): boolean {
    return headers.authorization === `Bearer ${this.options.token}`;
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url !== '/engine' || !this.isOurs(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => undefined);
      client.on('message', (data: Buffer) => this.receive(client, data));
      client.on('close', () => this.watch(client, false));
    });
  }

  private upload(request: IncomingMessage, response: ServerResponse): void {
    if (!this.isOurs(request)) {
      response.writeHead(403).end();
      return;
    }
    const state = { path: `/uploads/${this.options.index}/model.onnx`, bytes: 0, freeBytes: 8 * GIB };
    request.on('data', (chunk: Buffer) => (this.uploadedBytes += chunk.byteLength));
    request.on('end', () => response.end(JSON.stringify({ ...state, isWhole: request.method === 'POST' })));
  }

  private receive(client: WebSocket, data: Buffer): void {
    const { id, request, input } = decodeWire(data) as { id: number; request: string; input: unknown };
    if (request === 'telemetry.watch') this.watch(client, (input as { on: boolean }).on);
    let reply: Reply<unknown>;
    try {
      reply = { ok: true, value: this.answer(request, input) };
    } catch (thrown) {
      reply = { ok: false, error: SluiceError.from(thrown).toWire() };
    }
    client.send(encodeWire({ id, reply } satisfies EngineMessage));
  }

  private answer(request: string, input: unknown): unknown {
    const own = this.options.answers?.[request] ?? ANSWERS[request];
    if (own) return own(input);
    const { index, version } = this.options;
    switch (request) {
      case 'engine.info':
        return { version, threads: 4, dataDir: `/boxes/${index}` };
      case 'device.info':
        return { hostname: `box-${index}`, os: 'Linux', cpu: 'Cortex-A76', cores: 4, memTotalBytes: 8 * GIB };
      case 'models.list':
        return this.models;
      case 'models.import':
        return this.import(input as { name: string });
      default:
        throw new SluiceError('bad-input', `unknown request ${request}`);
    }
  }

  private import({ name }: { readonly name: string }): unknown {
    const model = { name, weightBytes: this.uploadedBytes, state: 'ready' };
    this.models.push(model);
    return model;
  }

  private watch(client: WebSocket, on: boolean): void {
    if (on) this.watching.add(client);
    else this.watching.delete(client);
    if (this.watching.size > 0) this.timer ??= setInterval(() => this.tellTelemetry(), TELEMETRY_MS);
    else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private tellTelemetry(): void {
    const nowMs = systemClock.nowMs();
    const load = 50 + 40 * Math.sin(nowMs / 3000 + this.options.index);
    const values: Partial<Record<string, number>> = {
      cpuPct: load,
      memUsedBytes: 3 * GIB + load * 1e6,
      memTotalBytes: 8 * GIB,
      diskReadBytesPerSec: load * 1e6,
    };
    const series = Object.fromEntries(
      TELEMETRY_SERIES.map((name) => [name, new Float32Array(SAMPLES).fill(values[name] ?? NaN)]),
    ) as TelemetryBatch['series'];
    const payload = { timeMs: new Float64Array(SAMPLES).fill(nowMs), series, dropped: 0 };
    const frame = encodeWire({ event: 'telemetry', payload });
    for (const client of this.watching) client.send(frame);
  }
}

const ANSWERS: Readonly<Record<string, (input: unknown) => unknown>> = {
  'telemetry.watch': () => ({}),
  'language.models': () => [],
  'runs.list': () => [
    { id: 'run-1', model: 'mobilenet-v1-0', startedAt: isoTime(systemClock.nowMs()), state: 'running' },
  ],
  'jobs.list': () => [],
  'budget.get': () => ({
    limitBytes: GIB,
    holders: [
      {
        model: 'mobilenet-v1-0',
        ringBytes: 1 << 20,
        residentBytes: 1 << 20,
        constantBytes: 1000,
        activationBytes: 0,
      },
    ],
  }),
  'endpoints.list': () => [],
  'offload.state': () => ({ state: 'idle', rounds: 0 }),
  'offload.decisions': () => [],
};
