import type { WireError } from './errors';

/** Where an inference can run. Servers stand in the latter two; the device is the engine's own machine. */
export const TIER_NAMES = ['device', 'edge', 'cloud'] as const;
export type TierName = (typeof TIER_NAMES)[number];
export type RemoteTier = Exclude<TierName, 'device'>;

/**
 * How an endpoint's bearer token is kept: by the operating system's keychain, in the engine's memory only, or `missing`
 * when one was kept but can't be read back (it must be entered again). Tokens themselves never come back to a console.
 */
export type TokenState = 'none' | 'keychain' | 'until-restart' | 'missing';

/** What the last probe of an endpoint found. */
export interface EndpointHealth {
  /** `refused`: it answers but wants another token. */
  readonly state: 'unknown' | 'ready' | 'not-ready' | 'refused' | 'unreachable';
  /** Absent before the first probe. */
  readonly checkedAt?: string;
  /** Median of the last probes. */
  readonly roundTripMs?: number;
  /** Measured while inputs were sent; absent before the first. */
  readonly bytesPerSec?: number;
  /** Whether inputs take long to get there, as the deployment's limit has it. */
  readonly link: 'regular' | 'weak';
  /** Requests waiting there; absent where the server does not tell. */
  readonly queueLength?: number;
  readonly queueCapacity?: number;
  /** Share of its processors that others use, 0..100; absent where the server does not tell. */
  readonly busyPct?: number;
  readonly availableBytes?: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** `sluice 0.1.0` */
  readonly server?: string;
  /** Ids of the deployment's variants it serves. */
  readonly offers: readonly string[];
  /** Why it is not ready. */
  readonly error?: WireError;
}

/** A server of the Open Inference Protocol v2. */
export interface EndpointRecord {
  readonly id: string;
  /** A person's name for it; unique. */
  readonly name: string;
  readonly tier: RemoteTier;
  /** `https://edge-7:8000`, with the path before `/v2` if there is one; without credentials. */
  readonly url: string;
  readonly token: TokenState;
  readonly health: EndpointHealth;
  /** The tier's requests go to it; others of the tier stand by. */
  readonly inUse: boolean;
}

/** What adding an endpoint takes. */
export interface NewEndpoint {
  readonly name: string;
  readonly tier: RemoteTier;
  readonly url: string;
  /** Bearer token; held in the engine's memory. A shell with a keychain keeps it beyond that (`secrets.keep`). */
  readonly token?: string;
}

/** One test of an endpoint, by step; a failed step ends it. */
export interface EndpointTest {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly step: 'connect' | 'ready' | 'metadata' | 'models' | 'inference';
    readonly ok: boolean;
    readonly ms: number;
    /** What was found: `sluice 0.1.0, binary tensors`, `4 of 8 variants`, ... */
    readonly text: string;
  }[];
  readonly error?: WireError;
}

/** A model that can answer a request, with how often it answers rightly. */
export interface VariantRecord {
  /** Short: `d4`. */
  readonly id: string;
  /** Name in the library, and on the endpoints. */
  readonly model: string;
  readonly title: string;
  readonly accuracyPct: number;
  /** Where the accuracy is published or how it was measured. */
  readonly source: string;
  /** Why the device can't run it; absent when it can. */
  readonly problem?: string;
}

export interface NewVariant {
  readonly model: string;
  readonly accuracyPct: number;
  readonly source: string;
}

export interface DeploymentSettings {
  /** Request streams answered at once, such as cameras. */
  readonly users: number;
  readonly thresholdPct: number;
  /** One of `OffloadState.agents`. */
  readonly agent: string;
  /** Start of one round of requests to the start of the next; 0: back to back. */
  readonly periodMs: number;
  /** Largest share of decisions that may explore, 0..1. */
  readonly explorationCap: number;
}

/** A person's choice for one user; overrides the agent. */
export interface Pin {
  readonly user: number;
  readonly tier: TierName;
  readonly variant: string;
}

/** Everything about the deployment but its endpoints and decisions. */
export interface OffloadState {
  readonly state: 'idle' | 'running' | 'failed';
  /** Why it failed. */
  readonly error?: WireError;
  readonly settings: DeploymentSettings;
  readonly variants: readonly VariantRecord[];
  readonly agents: readonly string[];
  readonly pins: readonly Pin[];
  readonly learningPaused: boolean;
  /** Real steps the agent has learned from. */
  readonly learnedSteps: number;
  /** What was learned was thrown away and can be put back. */
  readonly canRestore: boolean;
  /** Rounds since it was started. */
  readonly rounds: number;
  /** Over the last hundred rounds; absent before the first. */
  readonly meanResponseMs?: number;
  readonly meanAccuracyPct?: number;
  /** Mean of |predicted - measured| / measured over the same. */
  readonly predictionErrorPct?: number;
  /** Answers that came from elsewhere than was decided, since it was started. */
  readonly answeredElsewhere: number;
  /** As the agent sees it now, by node. */
  readonly nodes: readonly NodeState[];
}

/** What the agent knows of a node: levels, not figures. */
export interface NodeState {
  readonly tier: TierName;
  readonly cpu: 'free' | 'busy';
  readonly memory: 'ample' | 'short';
  readonly link: 'regular' | 'weak';
  /** Why nothing runs there now: no endpoint, down, or left alone after a failure. */
  readonly barred?: string;
}

/** One user's part of a decision. */
export interface UserDecision {
  readonly tier: TierName;
  readonly variant: string;
  readonly pinned: boolean;
  /** Absent when the agent has no idea. */
  readonly predictedMs?: number;
  /** The tier that answered; absent while the round is under way. */
  readonly answeredBy?: TierName;
  /** Absent while the round is under way, and when nobody answered. */
  readonly responseMs?: number;
  /** Attempts that failed or were overtaken, in their order. */
  readonly failures: readonly {
    readonly tier: TierName;
    readonly endpoint: string;
    readonly reason: 'failed' | 'slow';
    readonly error: string;
    readonly lostMs: number;
  }[];
}

export type DecisionReasonName = 'best-known' | 'explored' | 'exploration-capped' | 'threshold-out-of-reach';

/** One round of requests: what was decided and what it came to. */
export interface DecisionRecord {
  readonly id: number;
  readonly at: string;
  readonly agent: string;
  readonly reason: DecisionReasonName;
  readonly thresholdPct: number;
  readonly users: readonly UserDecision[];
  readonly predictedMs?: number;
  readonly meanResponseMs?: number;
  readonly meanAccuracyPct: number;
  /** Minus the mean response time, or minus the deadline when the threshold was missed. */
  readonly rewardMs?: number;
  /** Links of the nodes as it was decided, for marking changes of regime: `device free ample regular`, ... */
  readonly nodes: readonly NodeState[];
}

/** What the agent believes one alternative would mean, the other users' choices kept. */
export interface Belief {
  readonly user: number;
  readonly tier: TierName;
  readonly variant: string;
  readonly accuracyPct: number;
  /** Of this user. Absent when the agent has no idea. */
  readonly predictedMs?: number;
  /** Of all users. */
  readonly predictedMeanMs?: number;
  readonly meanAccuracyPct: number;
  /** The last response of this tier and variant, whoever asked. */
  readonly measuredMs?: number;
  readonly measurements: number;
  readonly chosen: boolean;
  readonly barred?: 'below-threshold' | 'pinned' | 'endpoint-down' | 'not-offered';
}

/**
 * The course of learning, by column; at most some hundred points whatever the number of rounds, denser at the start:
 * each is the mean over the rounds since the point before.
 */
export interface LearningCurve {
  /** The agent's real step at the end of each stretch. */
  readonly step: Float64Array;
  readonly meanResponseMs: Float64Array;
  readonly rewardMs: Float64Array;
  /** NaN where nothing was predicted. */
  readonly predictionErrorPct: Float64Array;
  readonly exploredPct: Float64Array;
}

/** Stages of a request, by lane; the number is the value in `RemoteTrace.kind`. */
export const REMOTE_STAGES = ['send', 'queue', 'compute', 'receive', 'lost'] as const;
export type RemoteStage = (typeof REMOTE_STAGES)[number];

/** Where the time of one round's requests went, by column; all arrays have one entry a span, sorted by `startUs`. */
export interface RemoteTrace {
  readonly decisionId: number;
  /** Index into `laneNames`. */
  readonly lane: Uint8Array;
  /** Index into `REMOTE_STAGES`. */
  readonly kind: Uint8Array;
  readonly user: Uint16Array;
  /** Microseconds since the round began. */
  readonly startUs: Float64Array;
  readonly durationUs: Float64Array;
  /** Bytes sent or received; 0 for other stages. */
  readonly bytes: Float64Array;
  /** `device`, and the endpoints by name. */
  readonly laneNames: readonly string[];
  readonly laneTiers: readonly TierName[];
}

export interface OffloadRequests {
  'endpoints.list': { input: Record<string, never>; output: readonly EndpointRecord[] };
  /** @throws `bad-input` for a URL or name that can't be, `conflict` for a name in use. */
  'endpoints.add': { input: NewEndpoint; output: EndpointRecord };
  /** Sets or (with `token` absent) forgets the token. `kept`: a keychain holds it too. */
  'endpoints.setToken': {
    input: { readonly id: string; readonly token?: string; readonly kept: boolean };
    output: EndpointRecord;
  };
  /** Connects, asks for health and models, and runs one inference. Failures are part of the answer. */
  'endpoints.test': { input: { readonly id: string }; output: EndpointTest };
  /** Removed at once; can be put back with its token until another is removed or the engine ends. */
  'endpoints.remove': { input: { readonly id: string }; output: Record<string, never> };
  'endpoints.restore': { input: { readonly id: string }; output: EndpointRecord };

  'offload.state': { input: Record<string, never>; output: OffloadState };
  /** A running deployment is set up anew: the agent keeps what it learned where that still fits. */
  'offload.configure': { input: Partial<DeploymentSettings>; output: OffloadState };
  'offload.addVariant': { input: NewVariant; output: OffloadState };
  'offload.removeVariant': { input: { readonly id: string }; output: OffloadState };
  /** Builds MobileNetV1 in four widths, fp32 and int8, imports them and registers them with published accuracies. */
  'offload.installExample': { input: { readonly jobId: string }; output: OffloadState };
  'offload.start': { input: Record<string, never>; output: OffloadState };
  'offload.stop': { input: Record<string, never>; output: OffloadState };
  'offload.pin': { input: Pin; output: OffloadState };
  'offload.unpin': { input: { readonly user: number }; output: OffloadState };
  'offload.pauseLearning': { input: { readonly paused: boolean }; output: OffloadState };
  /** Forgets what was learned; `offload.restore` puts it back until it is forgotten again or the engine ends. */
  'offload.reset': { input: Record<string, never>; output: OffloadState };
  'offload.restore': { input: Record<string, never>; output: OffloadState };
  /** Newest first; `beforeId` pages back. */
  'offload.decisions': {
    input: { readonly beforeId?: number; readonly limit: number };
    output: readonly DecisionRecord[];
  };
  /** What the agent believes now, for every user, tier and variant. */
  'offload.beliefs': { input: Record<string, never>; output: readonly Belief[] };
  'offload.curve': { input: Record<string, never>; output: LearningCurve };
  /** Of one of the last rounds. @throws `not-found` for an older one. */
  'offload.trace': { input: { readonly decisionId: number }; output: RemoteTrace };
  /** The decisions as JSON lines, or what the agent learned as a checkpoint `sluice offload` takes. */
  'offload.export': {
    input: { readonly what: 'decisions' | 'checkpoint' };
    output: { readonly name: string; readonly text: string };
  };
}

export interface OffloadEvents {
  endpoints: readonly EndpointRecord[];
  /** At most five a second. */
  offload: OffloadState;
  /** Rounds that began or ended, at most ten events a second; a round's later record replaces its earlier one. */
  decisions: readonly DecisionRecord[];
}
