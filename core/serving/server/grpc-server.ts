import { join } from 'node:path';

import { Server, ServerCredentials, ServerInterceptingCall } from '@grpc/grpc-js';
import type { ServerInterceptor, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import { SluiceError } from '../../contract';
import { statusesOf } from '../protocol/status-codes';
import type { BearerToken } from './bearer-token';
import { grpcHandlers } from './grpc-handlers';
import { GRPC_LOADING } from './grpc-messages';
import type { Listener } from './http-app';
import type { InferenceService } from './inference-service';
import { listenError } from './listen-error';
import type { ServerLimits, TlsFiles } from './server-limits';

const SERVICE = 'inference.GRPCInferenceService';
/** As over HTTP: probes carry no token. */
const OPEN_METHODS: readonly string[] = ['ServerLive', 'ServerReady'].map((name) => `/${SERVICE}/${name}`);
/** A peer that answers no ping is gone. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 };
/** Calls that are still busy that long after the last answer are cut. */
const CLOSING_MS = 1000;

export interface GrpcServerOptions {
  readonly service: InferenceService;
  readonly token: BearerToken;
  /** The folder with Sluice's package.json; the protocol's definition lies below it. */
  readonly appRoot: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly tls?: TlsFiles;
}

/**
 * The protocol over gRPC: `inference.GRPCInferenceService`.
 * @throws SluiceError `conflict` when the port is taken, `bad-input` for an unusable address or certificate.
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<Listener> {
  const { service, token, appRoot, host, port, limits, tls } = options;
  const server = new Server({
    ...KEEPALIVE,
    'grpc.max_receive_message_length': limits.bodyBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.connections,
    interceptors: [guard(token, limits.requestTimeoutMs)],
  });
  server.addService(loadService(appRoot), grpcHandlers(service));
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials(tls), (error, boundPort) => {
      if (error) reject(listenError(host, port, '--grpc-port', error));
      else resolve({ port: boundPort, close: () => close(server) });
    });
  });
}

function loadService(appRoot: string): ServiceDefinition {
  const path = join(appRoot, 'core/serving/protocol/inference.proto');
  return loadSync(path, GRPC_LOADING)[SERVICE] as ServiceDefinition;
}

/** @throws SluiceError `bad-input` for files that are no certificate and its key. */
function credentials(tls: TlsFiles | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
}

/** Checks the token before a message is read, and cuts off a peer that does not get its message sent. */
function guard(token: BearerToken, requestTimeoutMs: number): ServerInterceptor {
  return (method, call) => {
    let timer: NodeJS.Timeout | undefined;
    const refuse = (error: SluiceError): void =>
      call.sendStatus({ code: statusesOf(error.code).grpc, details: error.message });
    const tooSlow = new SluiceError('timeout', `No whole request came within ${requestTimeoutMs} ms.`);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            try {
              if (!OPEN_METHODS.includes(method.path))
                token.check(metadata.get('authorization')[0]?.toString());
            } catch (thrown) {
              refuse(SluiceError.from(thrown));
              return;
            }
            timer = setTimeout(() => refuse(tooSlow), requestTimeoutMs);
            proceed(metadata);
          },
          onReceiveMessage: (message, proceed) => {
            clearTimeout(timer);
            proceed(message);
          },
          onReceiveHalfClose: (proceed) => {
            clearTimeout(timer);
            proceed();
          },
          onCancel: () => clearTimeout(timer),
        }),
    });
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), CLOSING_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
