import type { z } from 'zod';

import { systemClock } from '../../base';
import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { JSON_LENGTH_HEADER, readFrame, writeFrame } from '../protocol/frame';
import {
  modelMetadataSchema,
  parseMessage,
  repositoryIndexSchema,
  serverMetadataSchema,
} from '../protocol/schemas';
import type { OipTensor } from '../protocol/tensor';
import type { BreakerState } from './circuit-breaker';
import { Endpoint } from './endpoint';
import type { CallOptions, EndpointOptions } from './endpoint';
import type { ExchangeAnswer, ExchangeTimes } from './http-exchange';
import { garbageError, readInferAnswer, serverTimes } from './read-answer';
import { serverFiguresOf } from './server-figures';
import type { ServerFigures } from './server-figures';

/** The extension by which tensors travel as bytes after the JSON. */
const BINARY_EXTENSION = 'binary_tensor_data';
/** Pages of servers with thousands of models are smaller. */
const MAX_METRICS_BYTES = 4 * 2 ** 20;

export interface OipClientOptions
  extends Omit<EndpointOptions, 'clock'>, Partial<Pick<EndpointOptions, 'clock'>> {}

export interface OipInference {
  readonly model: string;
  /** Absent: any. */
  readonly version?: string;
  readonly inputs: readonly OipTensor[];
  /** Names of the outputs wanted; absent: all. */
  readonly outputs?: readonly string[];
  readonly id?: string;
}

/** Where the time of a remote inference went. */
export interface RemoteTimes extends ExchangeTimes {
  /** When the call began, milliseconds since the epoch. */
  readonly startedMs: number;
  /** Retries and pauses included. */
  readonly totalMs: number;
  readonly attempts: number;
  /** Within `waitMs`: what the server says it queued and computed (`Server-Timing`); absent when it says nothing. */
  readonly queueMs?: number;
  readonly computeMs?: number;
}

export interface OipAnswer {
  /** Views of the reply. */
  readonly outputs: readonly OipTensor[];
  readonly modelVersion: string;
  readonly times: RemoteTimes;
}

/** What a probe found. */
export interface EndpointHealth {
  readonly state: 'ready' | 'not-ready' | 'unreachable';
  readonly roundTripMs: number;
  /** Why it is unreachable. */
  readonly reason?: string;
}

export type ServerMetadata = z.infer<typeof serverMetadataSchema>;
export type ModelMetadata = z.infer<typeof modelMetadataSchema>;
export type RepositoryIndex = z.infer<typeof repositoryIndexSchema>;

/**
 * Speaks the Open Inference Protocol v2 over HTTP to one server: Sluice, Triton, KServe, OpenVINO Model Server. Every
 * call throws a `SluiceError`: `unavailable` (unreachable, breaker open, no usable answer), `overloaded`, `timeout`,
 * `cancelled`, or what the server's HTTP status means (`bad-input`, `not-found`, `unauthorized`, ...).
 */
export class OipClient {
  private readonly endpoint: Endpoint;
  private readonly clock: Clock;
  private takesBinary: boolean | undefined;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(options: OipClientOptions) {
    const { clock = systemClock } = options;
    this.clock = clock;
    this.endpoint = new Endpoint({ ...options, clock });
  }

  get name(): string {
    return this.endpoint.name;
  }

  get breakerState(): BreakerState {
    return this.endpoint.breakerState;
  }

  /** Whether the server takes inferences now. Goes out even while the breaker is open, and closes it when all is well. */
  async health(call: CallOptions = {}): Promise<EndpointHealth> {
    await this.endpoint.prepare();
    const startedMs = this.clock.nowMs();
    const roundTrip = (): number => this.clock.nowMs() - startedMs;
    try {
      const status = await this.endpoint.probe('/v2/health/ready', call);
      return { state: status < 300 ? 'ready' : 'not-ready', roundTripMs: roundTrip() };
    } catch (thrown) {
      const { code, message } = SluiceError.from(thrown);
      if (code === 'cancelled') throw thrown;
      return { state: 'unreachable', roundTripMs: roundTrip(), reason: message };
    }
  }

  /**
   * Whether a model takes inferences now; false also for one the server does not know. The breaker neither decides
   * about this nor learns from it.
   */
  async modelReady(model: string, call: CallOptions = {}): Promise<boolean> {
    const answer = await this.endpoint.look(`/v2/models/${encodeURIComponent(model)}/ready`, call);
    const { status } = answer;
    // Servers say "not ready" by 400, 404 and 503.
    if (status === 401 || status === 403 || (status >= 500 && status !== 503)) {
      throw this.endpoint.statusError(answer);
    }
    return status < 300;
  }

  /**
   * What the server tells of its queue and machine at `/metrics`; undefined when it has no such page, or nothing of
   * it there. The breaker neither decides about this nor learns from it.
   */
  async serverFigures(call: CallOptions = {}): Promise<ServerFigures | undefined> {
    const answer = await this.endpoint.look('/metrics', call, MAX_METRICS_BYTES);
    const { status, body } = answer;
    if (status === 401 || status === 403 || status >= 500) throw this.endpoint.statusError(answer);
    return status < 300 ? serverFiguresOf(body.toString('utf8')) : undefined;
  }

  serverMetadata(call?: CallOptions): Promise<ServerMetadata> {
    return this.get('/v2', serverMetadataSchema, call);
  }

  modelMetadata(model: string, call?: CallOptions): Promise<ModelMetadata> {
    return this.get(`/v2/models/${encodeURIComponent(model)}`, modelMetadataSchema, call);
  }

  repositoryIndex(call?: CallOptions): Promise<RepositoryIndex> {
    return this.post('/v2/repository/index', (answer) => this.parsed(repositoryIndexSchema, answer), call);
  }

  load(model: string, call?: CallOptions): Promise<void> {
    return this.post(`/v2/repository/models/${encodeURIComponent(model)}/load`, () => undefined, call);
  }

  unload(model: string, call?: CallOptions): Promise<void> {
    return this.post(`/v2/repository/models/${encodeURIComponent(model)}/unload`, () => undefined, call);
  }

  /** Tensors travel as bytes where the server's metadata lists the extension, else as JSON. */
  async infer(inference: OipInference, call: CallOptions = {}): Promise<OipAnswer> {
    const startedMs = this.clock.nowMs();
    const isBinary = await this.binary(call);
    const { model, version, inputs, outputs, id } = inference;
    const wanted = outputs?.map((name) => ({ name, parameters: { binary_data: isBinary } }));
    const members = {
      ...(id !== undefined && { id }),
      ...(isBinary && !wanted && { parameters: { binary_data_output: true } }),
      ...(wanted && { outputs: wanted }),
    };
    const { body, jsonBytes } = writeFrame(members, 'inputs', inputs, () => isBinary);
    const headers = {
      'content-type': jsonBytes === undefined ? 'application/json' : 'application/octet-stream',
      ...(jsonBytes !== undefined && { [JSON_LENGTH_HEADER]: String(jsonBytes) }),
    };
    const suffix = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
    const path = `/v2/models/${encodeURIComponent(model)}${suffix}/infer`;
    const asked = await this.endpoint.ask(
      { method: 'POST', path, headers, body },
      (answer) => readInferAnswer(this.name, answer, outputs),
      remaining(call, this.clock.nowMs() - startedMs),
    );
    const { value, answer, attempts } = asked;
    const totalMs = this.clock.nowMs() - startedMs;
    return { ...value, times: { ...answer.times, ...serverTimes(answer), startedMs, totalMs, attempts } };
  }

  /** Ends the connections; calls under way fail. */
  close(): Promise<void> {
    return this.endpoint.close();
  }

  /** Asked until it was told once. A server without metadata has no extensions. */
  private async binary(call: CallOptions): Promise<boolean> {
    if (this.takesBinary !== undefined) return this.takesBinary;
    try {
      const { extensions } = await this.serverMetadata(call);
      this.takesBinary = extensions.includes(BINARY_EXTENSION);
    } catch (thrown) {
      if (SluiceError.from(thrown).code !== 'not-found') throw thrown;
      this.takesBinary = false;
    }
    return this.takesBinary;
  }

  private async get<S extends z.ZodType>(path: string, schema: S, call?: CallOptions): Promise<z.infer<S>> {
    const request = { method: 'GET' as const, path, headers: {} };
    return (await this.endpoint.ask(request, (answer) => this.parsed(schema, answer), call)).value;
  }

  private async post<T>(path: string, read: (answer: ExchangeAnswer) => T, call?: CallOptions): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST' as const, path, headers, body: Buffer.from('{}') };
    return (await this.endpoint.ask(request, read, call)).value;
  }

  private parsed<S extends z.ZodType>(schema: S, { body }: ExchangeAnswer): z.infer<S> {
    try {
      return parseMessage('The reply', schema, readFrame('The reply', body, undefined).json);
    } catch (cause) {
      throw garbageError(this.name, SluiceError.from(cause));
    }
  }
}

function remaining(call: CallOptions, spentMs: number): CallOptions {
  return call.deadlineMs === undefined
    ? call
    : { ...call, deadlineMs: Math.max(0, call.deadlineMs - spentMs) };
}
