/** What a report is about. */
export type ReportSubject =
  /** A run of a streamed network: its id, the beginning of it, or `latest`. */
  | { readonly kind: 'run'; readonly run: string }
  | { readonly kind: 'runs'; readonly from: string; readonly to: string }
  /** A run of the lab: `user/dataset/N`, or a run id. */
  | { readonly kind: 'labRun'; readonly run: string }
  | { readonly kind: 'labRuns'; readonly runs: readonly string[] };

/** A whole page in one file: no script, nothing fetched. */
export interface MadeReport {
  /** A file's name, `.html`. */
  readonly name: string;
  readonly title: string;
  readonly html: string;
}

export interface ReportRequests {
  /** @throws `not-found`; `unavailable` when the lab can't be reached. */
  'report.make': { input: { readonly what: ReportSubject }; output: MadeReport };
}
