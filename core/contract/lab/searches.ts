import type { LabLaunch, LabRunRow } from './runs';

export type LabSearchState = 'running' | 'interrupted' | 'done' | 'stopped' | 'failed';

export type LabParameterValue = string | number | boolean;

export type LabParameter = {
  readonly name: string;
} & (
  | {
      readonly type: 'float' | 'int';
      readonly min: number;
      readonly max: number;
      readonly scale: 'linear' | 'log';
    }
  | { readonly type: 'choice'; readonly values: readonly LabParameterValue[] }
  | { readonly type: 'constant'; readonly values: readonly LabParameterValue[] }
);

export interface LabTrial {
  readonly id: number;
  readonly parameters: Readonly<Record<string, LabParameterValue>>;
  /** Steps, epochs: of the last report. */
  readonly resource: number;
  readonly metric?: number;
  readonly best?: number;
  readonly pool?: 'live' | 'stop' | 'dead' | 'finished';
  readonly outcome?: 'completed' | 'failed';
  /** The trial whose checkpoint it went on from. */
  readonly from?: number;
  /** Of its last run. */
  readonly runId?: string;
  readonly runName?: string;
}

export interface LabSearchSummary {
  readonly id: string;
  readonly state: LabSearchState;
  readonly reason?: string;
  readonly createdMs: number;
  readonly user: string;
  /** `random`, `hyperband`, `asha`, `pbt`. */
  readonly algorithm: string;
  readonly metric: { readonly name: string; readonly direction: 'max' | 'min' };
  readonly entry: string;
  readonly dataset?: string;
  readonly spentResource: number;
  readonly budget: number;
  readonly trialCount: number;
  readonly best?: number;
  readonly bestTrial?: number;
}

export interface LabSearch extends LabSearchSummary {
  readonly parameters: readonly LabParameter[];
  readonly trials: readonly LabTrial[];
}

/** What a person drew on the axes of parallel coordinates: a part of each named parameter's range. */
export type LabBrush =
  | { readonly parameter: string; readonly min: number; readonly max: number }
  | { readonly parameter: string; readonly values: readonly LabParameterValue[] };

export interface LabSearchRequests {
  'lab.searches': { input: Record<string, never>; output: readonly LabSearchSummary[] };
  'lab.search': { input: { readonly id: string }; output: LabSearch };
  /** @param input.search the JSON that `sluice lab automl` reads. */
  'lab.startSearch': {
    input: { readonly name?: string; readonly search: string; readonly trials: LabLaunch };
    output: LabSearch;
  };
  /** A search like another one, within a part of its space: the same code, data, algorithm and resources. */
  'lab.narrowSearch': {
    input: { readonly id: string; readonly name?: string; readonly brushes: readonly LabBrush[] };
    output: LabSearch;
  };
  'lab.stopSearch': { input: { readonly id: string }; output: LabSearch };
  'lab.resumeSearch': { input: { readonly id: string }; output: LabSearch };
  'lab.removeSearch': { input: { readonly id: string }; output: Record<string, never> };
  /** Lays out the shipped example (data, programs, a competition) and launches its first run. */
  'lab.startExample': { input: Record<string, never>; output: LabRunRow };
}
