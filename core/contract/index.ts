export { checkInput, faultTexts, shownName } from './check-input';
export { SluiceError } from './errors';
export type { ErrorCode, ErrorDetails, WireError } from './errors';
export type {
  BoxFigures,
  BoxState,
  FleetBox,
  FleetEvents,
  FleetPush,
  FleetPushBox,
  FleetRequests,
  NewBox,
} from './fleet';
export type { LabBoardRow, LabCompetition, LabCompetitionRequests, LabSubmission } from './lab/competitions';
export type { LabDataset, LabDatasetRequests, LabDatasetVersion } from './lab/datasets';
export type { LabDeployment, LabDeploymentRequests, LabPublish, LabTraffic } from './lab/deployments';
export type { LabModel, LabModelRequests, LabModelVersion } from './lab/models';
export type { LabNode, LabQueue, LabQueueJob, LabQueueRequests } from './lab/queue';
export type {
  LabArtifact,
  LabFork,
  LabLaunch,
  LabLogPart,
  LabResources,
  LabRunChanges,
  LabRunDetail,
  LabRunDifference,
  LabRunPlan,
  LabRunRequests,
  LabRunRow,
  LabRunState,
  LabSeries,
} from './lab/runs';
export type {
  LabBrush,
  LabParameter,
  LabParameterValue,
  LabSearch,
  LabSearchRequests,
  LabSearchState,
  LabSearchSummary,
  LabTrial,
} from './lab/searches';
export type { LabPart, LabStatus, LabStatusRequests } from './lab/status';
export { DEFAULT_LANGUAGE_SETTINGS, TOKEN_ORIGINS } from './language';
export type {
  CacheMap,
  CacheMemory,
  CacheMode,
  CompressorSummary,
  Conversation,
  ConversationSummary,
  LanguageModelSummary,
  LanguageProgress,
  LanguageRequests,
  LanguageSettings,
  Message,
  ReplyPhase,
  ReplyStats,
  RoundRecord,
  StreamedWeights,
  TextPiece,
  TokenOrigin,
} from './language';
export type {
  ExecutionProvider,
  LayerInfo,
  ModelDetail,
  ModelSummary,
  ModelTask,
  RemovedModel,
  TensorSpec,
  VerifyReport,
} from './models';
export { REMOTE_STAGES, TIER_NAMES } from './offload';
export type {
  Belief,
  DecisionRecord,
  DecisionReasonName,
  DeploymentSettings,
  EndpointHealth,
  EndpointRecord,
  EndpointTest,
  LearningCurve,
  NewEndpoint,
  NewVariant,
  NodeState,
  OffloadRequests,
  OffloadState,
  Pin,
  RemoteStage,
  RemoteTier,
  RemoteTrace,
  TierName,
  TokenState,
  UserDecision,
  VariantRecord,
} from './offload';
export { PIPELINE_MODES } from './plan';
export { printable } from './printable';
export type {
  CurvePoint,
  LayerPlacement,
  MeasuredPoint,
  MemoryDelayCurve,
  PipelineMode,
  PlanDetail,
} from './plan';
export type { MadeReport, ReportRequests, ReportSubject } from './report';
export { SPAN_KINDS } from './runs';
export type {
  ExampleInput,
  Quad,
  RunInput,
  RunRecord,
  RunRequest,
  RunResult,
  RunStats,
  SpanKind,
  TraceColumns,
} from './runs';
export { TELEMETRY_SERIES } from './telemetry';
export type { DeviceInfo, MissingFigure, TelemetryBatch, TelemetrySeries } from './telemetry';
export type {
  BudgetState,
  ClientMessage,
  EngineInfo,
  EngineMessage,
  EngineStatus,
  EventName,
  Events,
  Job,
  Reply,
  RequestInput,
  RequestName,
  RequestOutput,
  Requests,
} from './contract';
export {
  ENGINE_PORT_CHANNEL,
  ENGINE_STATUS_CHANNEL,
  FILES_OPENED_CHANNEL,
  SAVED_TEXTS,
  SHELL_REQUESTS,
  UPDATE_STATE_CHANNEL,
} from './shell';
export type {
  FileChoice,
  KeychainState,
  OpenedFiles,
  SavedText,
  ShellBridge,
  ShellInfo,
  ShellRequestName,
  ShellRequests,
  UpdateState,
} from './shell';
export { decodeWire, encodeWire } from './wire';
export { ENGINE_REFUSAL_EXIT_CODE, isNewerStore, newerStore, refuseNewer } from './newer-store';
export type { NewerStore } from './newer-store';
export {
  CRASH_FOLDER,
  crashFileName,
  crashFileText,
  errorText,
  isCrashFile,
  surplusCrashFiles,
} from './crash-report';
export type { CrashReport } from './crash-report';
export { HOST_ENDED, lastWordLine, processEndText, saysWhy } from './process-end';
export type { ProcessEnd } from './process-end';
