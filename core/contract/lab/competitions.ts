import type { RunNamed } from './runs';

export interface LabCompetition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** `NAME@VERSION` */
  readonly dataset: string;
  readonly owner: string;
  readonly metric: { readonly name: string; readonly direction: 'max' | 'min' };
  readonly submissionsPerDay: number;
  /** Of this console's user. */
  readonly leftToday: number;
  readonly deadlineMs?: number;
  readonly createdMs: number;
}

export interface LabBoardRow {
  /** Equal scores share a rank, and the next one counts them all: 1, 2, 2, 4. */
  readonly rank: number;
  readonly user: string;
  readonly score: number;
  readonly submittedMs: number;
  readonly submissions: number;
  /** Of this console's user alone: what reached the score. */
  readonly runId?: string;
}

export interface LabSubmission {
  readonly id: number;
  readonly competition: string;
  readonly runId: string;
  readonly runName: string;
  readonly checkpoint?: string;
  readonly isDryRun: boolean;
  readonly state: 'queued' | 'inferring' | 'scoring' | 'scored' | 'failed';
  readonly score?: number;
  readonly error?: string;
  readonly submittedMs: number;
}

export interface LabCompetitionRequests {
  'lab.competitions': { input: Record<string, never>; output: readonly LabCompetition[] };
  'lab.board': { input: { readonly competition: string }; output: readonly LabBoardRow[] };
  /** This user's, the newest first. */
  'lab.submissions': { input: { readonly competition: string }; output: readonly LabSubmission[] };
  'lab.submit': {
    input: RunNamed & {
      readonly competition: string;
      readonly checkpoint?: string;
      readonly isDryRun: boolean;
    };
    output: LabSubmission;
  };
}
