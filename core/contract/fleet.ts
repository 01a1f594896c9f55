import type { WireError } from './errors';

/**
 * `connecting`: not reached yet, or lost a moment ago. `offline`: attempts go on, ever slower. `refused`: it answers and
 * will not have us (token, certificate, version): attempts end until the user acts.
 */
export type BoxState = 'connecting' | 'online' | 'offline' | 'refused';

/** What a box tells of itself, at most twice a second. NaN where it exposes no such figure. */
export interface BoxFigures {
  readonly hostname: string;
  readonly version: string;
  readonly cpu: string;
  readonly cores: number;
  /** Whole machine, 0..100. */
  readonly cpuPct: number;
  readonly memUsedBytes: number;
  readonly memTotalBytes: number;
  readonly diskReadBytesPerSec: number;
  readonly budgetLimitBytes: number;
  readonly budgetUsedBytes: number;
  readonly models: readonly {
    readonly name: string;
    readonly kind: 'network' | 'language';
    readonly bytes: number;
  }[];
  readonly runsGoing: number;
  readonly jobsGoing: number;
  /** Failures the box knows of that ask for a look: failed jobs and runs of the last hour, unreachable endpoints. */
  readonly alerts: readonly string[];
  /** Of its offload deployment: absent where none is active. */
  readonly decisions?: { readonly total: number; readonly medianResponseMs: number };
}

/** Another machine that runs `sluice host`, as this engine sees it. */
export interface FleetBox {
  readonly id: string;
  /** Given by the user; unique. */
  readonly name: string;
  /** `https://box.lan:8787`, without the token. */
  readonly url: string;
  readonly state: BoxState;
  /** Why it is not online. */
  readonly reason?: string;
  /** When it became what it is: milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  readonly roundTripMs?: number;
  /** The last that it told; kept while it is away. */
  readonly figures?: BoxFigures;
}

/** A model on its way to boxes; goes on when a box comes back. */
export interface FleetPush {
  readonly id: string;
  readonly model: string;
  readonly startedMs: number;
  readonly boxes: readonly FleetPushBox[];
  /** Whether boxes keep a network's files, so that they can push it on; absent: they do. */
  readonly keepSource?: boolean;
}

export interface FleetPushBox {
  readonly box: string;
  readonly state: 'waiting' | 'sending' | 'importing' | 'done' | 'failed' | 'cancelled';
  readonly sentBytes: number;
  readonly totalBytes: number;
  readonly error?: WireError;
}

export interface NewBox {
  /** Default: the host of the address. */
  readonly name?: string;
  /** Of `sluice host`; a token in it (`?token=`) is taken out. */
  readonly url: string;
  readonly token?: string;
  /** SHA-256 of a certificate that no authority signed, as `sluice host` prints it. */
  readonly certificateFingerprint?: string;
}

/** The boxes this engine attaches to; what they are asked stands in the whole contract. Tokens go in and never come out. */
export interface FleetRequests {
  'fleet.list': { input: Record<string, never>; output: readonly FleetBox[] };
  /** Resolves when it is known, reached or not. @throws `bad-input`, `conflict` (its name or address is there). */
  'fleet.add': { input: NewBox; output: FleetBox };
  /** Tries at once, with a new token or fingerprint if given. */
  'fleet.retry': {
    input: { readonly box: string; readonly token?: string; readonly certificateFingerprint?: string };
    output: FleetBox;
  };
  'fleet.rename': { input: { readonly box: string; readonly name: string }; output: FleetBox };
  'fleet.remove': { input: { readonly box: string }; output: Record<string, never> };

  /** Starts (or stops) `fleetTold` events of one box on this connection, telemetry included. */
  'fleet.follow': { input: { readonly box: string; readonly on: boolean }; output: Record<string, never> };
  /** Sends a file of this machine there; progress comes as `job` events. @returns its path on the box. */
  'fleet.sendFile': {
    input: { readonly jobId: string; readonly box: string; readonly path: string };
    output: { readonly path: string };
  };

  /** Sends a model of this library to boxes and imports it there. Returns at once; `fleetPush` events follow. */
  'fleet.push': {
    input: {
      readonly model: string;
      readonly boxes: readonly string[];
      /** Whether boxes keep a network's files beside what they compile of it, so that they can push it on (default). */
      readonly keepSource?: boolean;
    };
    output: FleetPush;
  };
  'fleet.pushes': { input: Record<string, never>; output: readonly FleetPush[] };
  /** Those of its boxes that are not done. */
  'fleet.cancelPush': { input: { readonly push: string }; output: FleetPush };
  /** Those that failed or were cancelled, once more. */
  'fleet.retryPush': { input: { readonly push: string }; output: FleetPush };
}

export interface FleetEvents {
  /** Boxes that changed, at most 4 times a second; `removed` by id. */
  fleet: { readonly changed: readonly FleetBox[]; readonly removed: readonly string[] };
  fleetPush: FleetPush;
}
