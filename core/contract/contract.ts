import type { WireError } from './errors';
import type { FleetEvents, FleetRequests } from './fleet';
import type { ExecutionProvider, ModelDetail, ModelSummary, RemovedModel, VerifyReport } from './models';
import type { LabRequests } from './lab/requests';
import type { LabEvents } from './lab/status';
import type { LanguageEvents, LanguageRequests } from './language';
import type { OffloadEvents, OffloadRequests } from './offload';
import type { MemoryDelayCurve, PipelineMode, PlanDetail } from './plan';
import type { ExampleInput, RunInput, RunRecord, RunRequest, RunResult, TraceColumns } from './runs';
import type { ReportRequests } from './report';
import type { DeviceInfo, TelemetryBatch } from './telemetry';

export interface EngineInfo {
  readonly version: string;
  readonly runtimeVersion: string;
  readonly instructionSet: string;
  readonly providers: readonly ExecutionProvider[];
  readonly threads: number;
  readonly dataDir: string;
  readonly pid: number;
  readonly startedAt: string;
}

/** A long operation (import, profile, verify, build of example networks). */
export interface Job {
  readonly id: string;
  readonly kind: 'import' | 'profile' | 'verify' | 'build' | 'pull' | 'push';
  /** What it works on, e.g. the model's name. */
  readonly subject: string;
  readonly phase: string;
  readonly doneBytes: number;
  /** 0 while unknown. */
  readonly totalBytes: number;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly startedAt: string;
  readonly error?: WireError;
}

/** The global parameter-memory budget and who holds it. */
export interface BudgetState {
  /** 0: no limit set. */
  readonly limitBytes: number;
  readonly holders: readonly {
    readonly model: string;
    readonly ringBytes: number;
    readonly residentBytes: number;
    readonly constantBytes: number;
    readonly activationBytes: number;
  }[];
}

/** Every request: name -> input and output. Inputs are checked with zod in core/host. */
export interface Requests
  extends OffloadRequests, LanguageRequests, LabRequests, FleetRequests, ReportRequests {
  'engine.info': { input: Record<string, never>; output: EngineInfo };
  'device.info': { input: Record<string, never>; output: DeviceInfo };
  /** Starts (or stops) `telemetry` events on this connection. */
  'telemetry.watch': { input: { readonly on: boolean }; output: Record<string, never> };

  'models.list': { input: Record<string, never>; output: readonly ModelSummary[] };
  /** Resolves when the model is ready; progress comes as `job` events. `jobId` is the caller's choice, unique. */
  'models.import': {
    input: {
      readonly jobId: string;
      readonly path: string;
      readonly name?: string;
      readonly provider?: ExecutionProvider;
      /** Replace a model of the same name (default: refuse with `conflict`). */
      readonly replace?: boolean;
      /** An uploaded file stays as long as the model, so that it can be pushed to boxes (default); any other is left where it is. */
      readonly keepSource?: boolean;
    };
    output: ModelSummary;
  };
  /** Imports the models of the shipped example (text recognition) if absent. */
  'models.importExample': { input: { readonly jobId: string }; output: ModelSummary };
  'models.inspect': { input: { readonly name: string }; output: ModelDetail };
  'models.verify': { input: { readonly jobId: string; readonly name: string }; output: VerifyReport };
  /** Takes a model out of the library. It can be put back for a while; one removed before is then gone. */
  'models.remove': { input: { readonly name: string }; output: RemovedModel };
  /** What can be put back, at most one. */
  'models.removed': { input: Record<string, never>; output: readonly RemovedModel[] };
  /** Puts a removed model back as it was, measurements included. */
  'models.restore': { input: { readonly name: string }; output: ModelSummary };
  /** Frees the disk space of what could be put back. */
  'models.discardRemoved': { input: Record<string, never>; output: Record<string, never> };

  'jobs.list': { input: Record<string, never>; output: readonly Job[] };
  'jobs.cancel': { input: { readonly jobId: string }; output: Record<string, never> };

  'plan.curve': { input: { readonly model: string; readonly mode: PipelineMode }; output: MemoryDelayCurve };
  'plan.at': {
    input: { readonly model: string; readonly mode: PipelineMode; readonly budgetBytes: number };
    output: PlanDetail;
  };

  'inputs.examples': { input: Record<string, never>; output: readonly ExampleInput[] };
  /** The picture behind an input, for drawing results over it. */
  'inputs.image': {
    input: { readonly input: RunInput };
    output: { readonly mime: string; readonly bytes: Uint8Array };
  };

  /** Returns at once; `run` events follow. */
  'runs.start': { input: RunRequest; output: { readonly runId: string } };
  'runs.stop': { input: { readonly runId: string }; output: Record<string, never> };
  'runs.list': { input: Record<string, never>; output: readonly RunRecord[] };
  /** Spans of the run's latest inference. */
  'runs.trace': { input: { readonly runId: string }; output: TraceColumns };
  /** The same as Chrome trace JSON text (opens in Perfetto and chrome://tracing). */
  'runs.exportTrace': { input: { readonly runId: string }; output: { readonly json: string } };

  'budget.get': { input: Record<string, never>; output: BudgetState };
  'budget.set': { input: { readonly limitBytes: number }; output: BudgetState };

  /** Any request of the contract, answered by that box. @throws what it throws; `engine-down` while it is away. */
  'fleet.ask': {
    input: { readonly box: string; readonly request: RequestName; readonly input: unknown };
    output: unknown;
  };
}

/** Everything the engine tells without being asked. Events of one name arrive in order. */
export interface Events extends OffloadEvents, LanguageEvents, LabEvents, FleetEvents {
  job: Job;
  models: readonly ModelSummary[];
  /** What can be put back changed. */
  removed: readonly RemovedModel[];
  /**
   * A run changed: started, finished an inference (at most 10 a second), ended. Of a run in another process on the
   * same data folder only its end is told.
   */
  run: RunRecord;
  /** Result of the latest inference of a continuous run, at most 10 a second. */
  result: { readonly runId: string; readonly result: RunResult };
  budget: BudgetState;
  telemetry: TelemetryBatch;
  /** What a followed box told, as it told it; of its own fleet it tells nothing. */
  fleetTold: {
    readonly [E in EventName]: { readonly box: string; readonly event: E; readonly payload: Events[E] };
  }[Exclude<EventName, keyof FleetEvents | 'fleetTold'>];
}

export type RequestName = keyof Requests;
export type RequestInput<N extends RequestName> = Requests[N]['input'];
export type RequestOutput<N extends RequestName> = Requests[N]['output'];
export type EventName = keyof Events;

/** Electron keeps only an error's message across IPC, so replies carry the whole error as a value. */
export type Reply<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/** Messages on the wire, the same on a MessagePort (structured clone) and a WebSocket (MessagePack). */
export type ClientMessage = {
  [N in RequestName]: { readonly id: number; readonly request: N; readonly input: RequestInput<N> };
}[RequestName];

export type EngineMessage =
  | { readonly id: number; readonly reply: Reply<unknown> }
  | { [E in EventName]: { readonly event: E; readonly payload: Events[E] } }[EventName];

/** How the console sees the engine process, told by main (Electron) or by the socket (browser). */
export type EngineStatus =
  | { readonly state: 'starting' }
  | { readonly state: 'ok' }
  /** The engine died; it is being started again. Runs that were going on are lost and marked failed. */
  | { readonly state: 'restarting'; readonly reason: string; readonly restarts: number }
  /** It died too often; the user must act. */
  | { readonly state: 'down'; readonly reason: string };
