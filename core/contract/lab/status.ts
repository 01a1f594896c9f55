import type { WireError } from '../errors';

/** The lab the console looks at: the one whose server runs on this machine, or the one `SLUICE_LAB_URL` names. */
export interface LabStatus {
  /** `off`: nobody has asked for it yet. It starts with the first request for it. */
  readonly state: 'off' | 'starting' | 'ready' | 'failed';
  /** What programs log to: `MLFLOW_TRACKING_URI`. */
  readonly url?: string;
  /** Absent for one elsewhere. */
  readonly folder?: string;
  /** Its server was there before this engine, and stays when it ends. */
  readonly isShared: boolean;
  /** Who this console is there. */
  readonly user: string;
  /** Why it failed. */
  readonly error?: WireError;
}

/** What of the lab may have changed; whoever shows it asks again. */
export type LabPart = 'runs' | 'queue' | 'datasets' | 'competitions' | 'models' | 'deployments' | 'searches';

export interface LabStatusRequests {
  /** Does not start it. */
  'lab.status': { input: Record<string, never>; output: LabStatus };
  /** Tries again where it failed. */
  'lab.start': { input: Record<string, never>; output: LabStatus };
}

export interface LabEvents {
  lab: LabStatus;
  /** At most 4 a second. */
  labChange: { readonly parts: readonly LabPart[] };
}
