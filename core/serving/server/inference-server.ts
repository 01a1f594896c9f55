import { SluiceError } from '../../contract';
import { BearerToken, isLoopback } from './bearer-token';
import { CompletionService } from './completion-service';
import { DeploymentService } from './deployment-service';
import { startGrpcServer } from './grpc-server';
import { machineReadings } from './host-figures';
import type { HostReadings } from './host-figures';
import { startHttpServer } from './http-server';
import { InferenceService } from './inference-service';
import type { Tier } from './inference-service';
import type { KvPrefixes } from './kv-prefixes';
import type { LanguageService } from './language-service';
import type { Publisher } from './publisher';
import type { ServedModels } from './served-models';
import { DEFAULT_LIMITS } from './server-limits';
import type { ServerLimits, TlsFiles } from './server-limits';

const DEFAULT_QUEUE_CAPACITY = 32;
const DEFAULT_DRAIN_MS = 30_000;

export interface InferenceServerOptions {
  readonly models: ServedModels;
  /** Language models, served by OpenAI's API at the HTTP port. Absent: none. */
  readonly languages?: LanguageService;
  /** Full caches of these models for other nodes. Absent: none. */
  readonly prefixes?: KvPrefixes;
  /** Takes models that are published here. Absent: none are. */
  readonly publisher?: Publisher;
  readonly tier: Tier;
  /** Of the program, for the server's metadata. */
  readonly version: string;
  /** The folder with Sluice's package.json. */
  readonly appRoot: string;
  /** Milliseconds since the epoch, never going back. */
  readonly nowMs: () => number;
  /** Address to listen on. Default 127.0.0.1; any that others can reach needs a token. */
  readonly host?: string;
  /** For HTTP. 0: any free one. */
  readonly port: number;
  /** For gRPC; absent: no gRPC. 0: any free one. */
  readonly grpcPort?: number;
  readonly token?: string;
  /** What publishing takes, and good for all else; default: `token`. Without either nothing can be published. */
  readonly deployToken?: string;
  readonly tls?: TlsFiles;
  /** Inferences that may wait, of both protocols together, and requests for each language model. Default 32. */
  readonly queueCapacity?: number;
  readonly limits?: Partial<ServerLimits>;
  /** How long `close` waits for what was accepted. Default 30 s. */
  readonly drainMs?: number;
  /** Where the figures of its machine come from; default: the machine. */
  readonly hostReadings?: HostReadings;
}

export interface InferenceServer {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  /** `127.0.0.1:8001`, as gRPC clients take it. Absent without gRPC. */
  readonly grpcUrl?: string;
  /** Ready turns false, what was accepted is answered, then the ports are closed. */
  close(): Promise<void>;
}

/** See `startInferenceServer`. */
export async function openInferenceServer(options: InferenceServerOptions): Promise<InferenceServer> {
  const {
    models,
    languages,
    prefixes,
    publisher,
    tier,
    version,
    appRoot,
    nowMs,
    host = '127.0.0.1',
    tls,
  } = options;
  const { deployToken = options.token } = options;
  const token = options.token === undefined ? new BearerToken() : new BearerToken(options.token, deployToken);
  if (options.token === undefined && !isLoopback(host)) {
    throw new SluiceError(
      'bad-input',
      `Listening on ${host} lets others on the network run models here: give a token (--token-file), ` +
        'or listen on 127.0.0.1.',
      { host },
    );
  }
  const {
    queueCapacity = DEFAULT_QUEUE_CAPACITY,
    drainMs = DEFAULT_DRAIN_MS,
    hostReadings = machineReadings,
  } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const service = new InferenceService({ models, tier, version, queueCapacity, nowMs, hostReadings });
  const completions =
    languages &&
    new CompletionService({ languages, queueCapacity, nowMs, registry: service.metrics.registry });
  const shared = { service, token, host, limits, ...(tls && { tls }) };
  const http = await startHttpServer({
    ...shared,
    ...(completions && { completions }),
    ...(prefixes && { prefixes }),
    ...(publisher && { deployments: new DeploymentService(service, publisher) }),
    ...(deployToken !== undefined && { deployToken: new BearerToken(deployToken) }),
    port: options.port,
  });
  const { grpcPort } = options;
  const grpc =
    grpcPort === undefined
      ? undefined
      : await startGrpcServer({ ...shared, appRoot, port: grpcPort }).catch(async (thrown: unknown) => {
          await http.close();
          throw thrown;
        });
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${http.port}`,
    ...(grpc && { grpcUrl: `${name}:${grpc.port}` }),
    close: async () => {
      await Promise.all([service.drain(drainMs), completions?.drain(drainMs)]);
      await Promise.all([http.close(), grpc?.close()]);
    },
  };
}
