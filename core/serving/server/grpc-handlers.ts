import { Metadata } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';

import { SluiceError } from '../../contract';
import { statusesOf } from '../protocol/status-codes';
import type {
  ModelInferRequest,
  NamedVersion,
  RepositoryIndexRequest,
  RepositoryModelRequest,
} from './grpc-messages';
import { grpcAnswer, readGrpcRequest, valuesOf } from './grpc-tensors';
import type { InferenceService } from './inference-service';
import { refuseUnsupported } from './unsupported-parameters';

/** A reply and what goes along in the trailing metadata. */
interface Reply {
  readonly message: object;
  readonly trailer?: Metadata;
}

/** The methods of `inference.GRPCInferenceService` on a service. */
export function grpcHandlers(service: InferenceService): UntypedServiceImplementation {
  return {
    ServerLive: unary(async () => ({ message: { live: true } })),
    ServerReady: unary(async () => ({ message: { ready: service.isReady } })),
    ModelReady: unary(async ({ name, version }: NamedVersion) => ({
      message: { ready: service.isModelReady(name, version) },
    })),
    ServerMetadata: unary(async () => ({ message: service.metadata })),
    ModelMetadata: unary(async ({ name, version }: NamedVersion) => {
      const { platform, inputs, outputs } = service.model(name, version);
      const versions = service.versions(name).map((model) => model.version);
      return { message: { name, versions, platform, inputs, outputs } };
    }),
    ModelInfer: unary((request: ModelInferRequest, signal) => infer(service, request, signal)),
    ModelStatistics: unary(async ({ name, version }: NamedVersion) => ({
      message: { model_stats: service.stats(name, version) },
    })),
    RepositoryIndex: unary(async ({ ready }: RepositoryIndexRequest) => ({
      message: { models: index(service, ready) },
    })),
    RepositoryModelLoad: unary(async (request: RepositoryModelRequest) => {
      refuseUnsupported(valuesOf(request.parameters));
      await service.load(request.model_name);
      return { message: {} };
    }),
    RepositoryModelUnload: unary(async (request: RepositoryModelRequest) => {
      await service.unload(request.model_name);
      return { message: {} };
    }),
  };
}

async function infer(
  service: InferenceService,
  request: ModelInferRequest,
  signal: AbortSignal,
): Promise<Reply> {
  service.checkRoom();
  const { model_name: name, model_version: version, id } = request;
  const answer = await service.infer(name, version, readGrpcRequest(request), signal);
  const trailer = new Metadata();
  trailer.set(
    'server-timing',
    `queue;dur=${answer.queueMs.toFixed(3)}, compute;dur=${answer.computeMs.toFixed(3)}`,
  );
  return { message: grpcAnswer(id, answer), trailer };
}

function index(service: InferenceService, isReadyOnly: boolean): readonly object[] {
  return service
    .models()
    .filter(({ isReady }) => isReady || !isReadyOnly)
    .map(({ name, version, isReady, reason = '' }) => ({
      name,
      version,
      state: isReady ? 'READY' : 'UNAVAILABLE',
      reason,
    }));
}

/** A handler of one request and one reply; its signal aborts when the caller cancels or its deadline passes. */
function unary<Request>(handle: (request: Request, signal: AbortSignal) => Promise<Reply>) {
  return (call: ServerUnaryCall<Request, object>, callback: sendUnaryData<object>): void => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    handle(call.request, gone.signal).then(
      ({ message, trailer }) => callback(null, message, trailer),
      (thrown: unknown) => callback(serviceError(SluiceError.from(thrown))),
    );
  };
}

/** A full queue tells when to come back, in the key that gRPC's own retries understand. */
function serviceError(error: SluiceError): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  const { retryAfterSec } = error.details;
  if (typeof retryAfterSec === 'number') {
    metadata.set('grpc-retry-pushback-ms', String(retryAfterSec * 1000));
  }
  return { code: statusesOf(error.code).grpc, details: error.message, metadata };
}
