export interface LabDatasetVersion {
  readonly number: number;
  readonly hash: string;
  readonly files: number;
  readonly bytes: number;
  readonly note: string;
  readonly createdMs: number;
  /** Part of it is for evaluators alone. */
  readonly hasHidden: boolean;
}

export interface LabDataset {
  readonly name: string;
  readonly owner: string;
  readonly visibility: 'private' | 'shared';
  readonly description: string;
  readonly tags: readonly string[];
  readonly createdMs: number;
  /** The newest first. */
  readonly versions: readonly LabDatasetVersion[];
}

export interface LabDatasetRequests {
  'lab.datasets': { input: Record<string, never>; output: readonly LabDataset[] };
  /** The paths of a version: those that this user may read. */
  'lab.datasetFiles': {
    input: { readonly name: string; readonly version: number };
    output: readonly { readonly path: string; readonly bytes: number; readonly isHidden: boolean }[];
  };
  /** A new version from a folder of the engine's machine; progress comes as `job` events. `jobId` is the caller's choice. */
  'lab.pushDataset': {
    input: { readonly jobId: string; readonly name: string; readonly folder: string; readonly note: string };
    output: LabDataset;
  };
  'lab.editDataset': {
    input: {
      readonly name: string;
      readonly visibility?: 'private' | 'shared';
      readonly description?: string;
      readonly tags?: readonly string[];
    };
    output: LabDataset;
  };
  /** Reads every chunk again and compares hashes. */
  'lab.verifyDataset': {
    input: { readonly jobId: string; readonly name: string; readonly version: number };
    output: { readonly bytes: number; readonly faults: readonly string[] };
  };
  'lab.removeDatasetVersion': {
    input: { readonly name: string; readonly version: number };
    output: Record<string, never>;
  };
  /** Frees the room of what no version, run or search needs any more. */
  'lab.collectDatasets': { input: Record<string, never>; output: { readonly freedBytes: number } };
}
