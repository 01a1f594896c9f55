import type { RunNamed } from './runs';

export interface LabModelVersion {
  readonly version: number;
  readonly stage: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly createdMs: number;
  readonly source: string;
  readonly runId?: string;
  readonly runName?: string;
}

export interface LabModel {
  readonly name: string;
  readonly description: string;
  readonly updatedMs: number;
  /** The newest first. */
  readonly versions: readonly LabModelVersion[];
}

export interface LabModelRequests {
  'lab.models': { input: Record<string, never>; output: readonly LabModel[] };
  /** A new version of a model, which is made when there is none of that name. @param input.path of an artifact of the run. */
  'lab.registerModel': {
    input: RunNamed & { readonly path: string; readonly model: string; readonly description: string };
    output: LabModel;
  };
  /** @param input.version absent: takes the alias away. */
  'lab.setAlias': {
    input: { readonly model: string; readonly alias: string; readonly version?: number };
    output: LabModel;
  };
}
