import type { WireError } from '../errors';

/** What a version of a deployment has answered since it began to. */
export interface LabTraffic {
  readonly version: number;
  /** Share of the requests it is given, 0..100. */
  readonly sharePct: number;
  readonly requests: number;
  readonly failures: number;
  /** Over its last requests; absent before the first. */
  readonly medianMs?: number;
  readonly p95Ms?: number;
}

/** A registered model that an endpoint serves. */
export interface LabDeployment {
  readonly endpointId: string;
  readonly endpointName: string;
  readonly model: string;
  /** What requests name at the endpoint. */
  readonly servedAs: string;
  readonly state: 'loading' | 'ready' | 'failed' | 'unreachable';
  readonly error?: WireError;
  readonly stable: LabTraffic;
  /** The version that gets a part of the requests. */
  readonly canary?: LabTraffic;
  /** What a roll-back goes to when there is no canary. */
  readonly previousVersion?: number;
  /** The variant of the offload agent that it is; absent: none. */
  readonly variant?: string;
}

export interface LabPublish {
  readonly model: string;
  readonly version: number;
  /** An endpoint of this console (`endpoints.list`). */
  readonly endpointId: string;
  /** 100: at once; less: beside the version that is there, which must be. */
  readonly sharePct: number;
  /** Makes it a variant of the offload agent, which needs to know how often it is right. */
  readonly variant?: { readonly accuracyPct: number; readonly source: string };
}

export interface LabDeploymentRequests {
  'lab.deployments': { input: Record<string, never>; output: readonly LabDeployment[] };
  'lab.publish': { input: LabPublish; output: LabDeployment };
  /** Of the canary. 100: it becomes the stable one. */
  'lab.setCanary': {
    input: { readonly endpointId: string; readonly servedAs: string; readonly sharePct: number };
    output: LabDeployment;
  };
  /** Takes the canary away, or without one goes back to the version before. */
  'lab.rollBack': {
    input: { readonly endpointId: string; readonly servedAs: string };
    output: LabDeployment;
  };
  'lab.unpublish': {
    input: { readonly endpointId: string; readonly servedAs: string };
    output: Record<string, never>;
  };
}
