export { OipClient } from './client/oip-client';
export type {
  EndpointHealth,
  ModelMetadata,
  OipAnswer,
  OipClientOptions,
  OipInference,
  RemoteTimes,
  RepositoryIndex,
  ServerMetadata,
} from './client/oip-client';
export type { BreakerState } from './client/circuit-breaker';
export type { CallOptions } from './client/endpoint';
export type { ServerFigures } from './client/server-figures';
export { PublishClient } from './client/publish-client';
export type { Publication } from './client/publish-client';
export type { PublishedDeployment, VersionTraffic } from './protocol/deployments';
export { datatypeOf, dtypeOf } from './protocol/datatype';
export type { Datatype } from './protocol/datatype';
export { errorDetailsSchema } from './protocol/error-details';
export { codeOfHttpStatus, statusesOf } from './protocol/status-codes';
export type { OipTensor, OipTensorMetadata } from './protocol/tensor';
export { BearerToken, isLoopback } from './server/bearer-token';
export { HostFigures, machineReadings } from './server/host-figures';
export { createHttpApp, listenOn } from './server/http-app';
export type { HttpAppOptions, Listener } from './server/http-app';
export type { InferenceServer, InferenceServerOptions } from './server/inference-server';
export type { Tier } from './server/inference-service';
export type { KvIdentity, KvPrefillRequest, KvPrefix, KvPrefixes } from './server/kv-prefixes';
export type {
  Completion,
  CompletionCall,
  CompletionPrompt,
  CompletionRequest,
  LanguageService,
  ServedLanguageModel,
} from './server/language-service';
export type { BetweenRequests, ModelUpload, PublishedModel, Publisher } from './server/publisher';
export type { ModelAnswer, ServedModel, ServedModels } from './server/served-models';
export { DEFAULT_LIMITS } from './server/server-limits';
export type { ServerLimits, TlsFiles } from './server/server-limits';
export { startInferenceServer } from './start-server';
