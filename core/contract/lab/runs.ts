/** `preparing`: code and data are being laid out. `logged`: it was not launched here, a program logged it and has not ended it. */
export type LabRunState =
  'preparing' | 'queued' | 'running' | 'stopping' | 'succeeded' | 'failed' | 'stopped' | 'lost' | 'logged';

export interface LabResources {
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryBytes: number;
}

/** A run as a row: what was launched, and what programs logged of themselves. */
export interface LabRunRow {
  /** 32 hexadecimal digits. */
  readonly runId: string;
  /** `user/dataset/N`, or the name its program gave it. */
  readonly name: string;
  readonly user: string;
  readonly experiment: string;
  readonly state: LabRunState;
  /** Started by the lab: it has a log, and can be stopped, resumed and forked. */
  readonly isLaunched: boolean;
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  /** `train.py --lr 0.1` */
  readonly program?: string;
  /** `NAME@VERSION` */
  readonly dataset?: string;
  /** Name of the run it was forked from. */
  readonly parent?: string;
  /** The search it is a trial of. */
  readonly search?: string;
  readonly engine?: string;
  readonly node?: string;
  readonly attempt?: number;
  /** From 1, among those that wait for the same engine. */
  readonly position?: number;
  /** Why it waits, failed, or was ended. */
  readonly reason?: string;
  readonly exitCode?: number;
  readonly signal?: string;
  /** Since when it has not used what it holds. */
  readonly idleSinceMs?: number;
  readonly params: Readonly<Record<string, string>>;
  /** The last value of each; NaN and infinities are as they were logged. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Those of users; MLflow's and the lab's own are left out. */
  readonly tags: Readonly<Record<string, string>>;
}

/** What has changed among all runs since a revision. */
export interface LabRunChanges {
  /** To be asked with next time; it means nothing to another lab, or to this one's server after a restart. */
  readonly revision: string;
  /** `runs` are all there are: whatever was known before is to be forgotten. */
  readonly isWhole: boolean;
  /** In no order. */
  readonly runs: readonly LabRunRow[];
  /** Ids of runs that are gone. */
  readonly removed: readonly string[];
}

export interface LabRunDetail extends LabRunRow {
  /** Of a run that was launched, as are the next five. */
  readonly entry?: string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly resources?: LabResources;
  readonly code?: { readonly hash: string; readonly files: number; readonly bytes: number };
  readonly datasetHash?: string;
  readonly image?: string;
  readonly parentId?: string;
  /** The parent's artifact it went on from. */
  readonly checkpoint?: string;
  /** Runs that were forked from it, the newest first. */
  readonly forks: readonly { readonly runId: string; readonly name: string; readonly state: LabRunState }[];
  /** Artifacts below `checkpoints/`, the newest first: a fork or a submission can begin with one. */
  readonly checkpoints: readonly string[];
  /** Versions of registered models that were made from it. */
  readonly models: readonly { readonly model: string; readonly version: number }[];
}

/** One metric of one run, by column, in the order of steps; sampled where it has more points than were asked for. */
export interface LabSeries {
  readonly runId: string;
  readonly key: string;
  readonly step: Float64Array;
  /** Since the Unix epoch. */
  readonly timestampMs: Float64Array;
  readonly value: Float64Array;
}

export interface LabLogPart {
  readonly text: string;
  /** Where to go on, in bytes. */
  readonly nextOffset: number;
  /** Of the whole log. */
  readonly bytes: number;
  /** The run has ended and nothing more will come. */
  readonly isEnd: boolean;
}

export interface LabArtifact {
  /** From the run's root. */
  readonly path: string;
  readonly isFolder: boolean;
  /** 0 of folders. */
  readonly bytes: number;
}

export interface LabRunDifference {
  /** `args.--lr`, `dataset`, `environment.LR`, `resources.cpus`, `code.train.py`, `params.lr`, ... */
  readonly what: string;
  /** Absent: it has none. */
  readonly from?: string;
  readonly to?: string;
}

/** What a run is asked to do; what is absent is the lab's default, or as the parent had it. */
export interface LabRunPlan {
  /** Parted as a POSIX shell parts them, nothing expanded. */
  readonly args?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly resources?: Partial<LabResources>;
  readonly engine?: string;
  readonly image?: string;
  /** -100 to 100, higher first. */
  readonly priority?: number;
  /** It is stopped after running this long. */
  readonly limitMs?: number;
}

export interface LabLaunch extends LabRunPlan {
  /** The working folder, absolute. */
  readonly folder: string;
  /** The program, within the folder. */
  readonly entry: string;
  /** `NAME` or `NAME@VERSION`. */
  readonly dataset?: string;
}

export interface LabFork extends LabRunPlan {
  readonly run: string;
  /** Absent: the parent's newest checkpoint, if there is one. */
  readonly checkpoint?: string;
}

/** A request about one run. */
export interface RunNamed {
  /** `user/dataset/N`, or a run id. */
  readonly run: string;
}

export interface LabRunRequests {
  /** `since`: the revision of the last answer; absent: everything. */
  'lab.runs': { input: { readonly since?: string }; output: LabRunChanges };
  /** Ids of the runs that match, in MLflow's syntax: `metrics.loss < 0.1 and params.lr = '0.01'`. @throws `bad-input` with where. */
  'lab.findRuns': { input: { readonly filter: string }; output: { readonly runIds: readonly string[] } };
  'lab.run': { input: RunNamed; output: LabRunDetail };
  /**
   * @param input.runIds at most 100.
   * @param input.points of each series, at most 2500; its extremes are among them.
   * @param input.fromStep with `toStep`: a part of it, as finely.
   */
  'lab.series': {
    input: {
      readonly runIds: readonly string[];
      readonly key: string;
      readonly points: number;
      readonly fromStep?: number;
      readonly toStep?: number;
    };
    /** Those that have points, in the order of `runIds`. */
    output: readonly LabSeries[];
  };
  /**
   * @param input.offset in bytes; negative: so many before the end.
   * @param input.waitMs waits this long for more, at most 30 s, where there is none and the run goes on.
   */
  'lab.log': { input: RunNamed & { readonly offset: number; readonly waitMs?: number }; output: LabLogPart };
  /** @param input.path a folder; empty: the root. */
  'lab.artifacts': { input: RunNamed & { readonly path: string }; output: readonly LabArtifact[] };
  /** At most `mostBytes` from its beginning. */
  'lab.artifact': {
    input: RunNamed & { readonly path: string; readonly mostBytes: number };
    output: { readonly mime: string; readonly bytes: Uint8Array; readonly totalBytes: number };
  };
  'lab.diff': {
    input: { readonly from: string; readonly to: string };
    output: readonly LabRunDifference[];
  };
  'lab.launch': { input: LabLaunch; output: LabRunRow };
  'lab.fork': { input: LabFork; output: LabRunRow };
  /** Asks it to end, and ends it after `graceMs` (default 10 s). */
  'lab.stop': { input: RunNamed & { readonly graceMs?: number }; output: LabRunRow };
  /** The same run once more, in the folder it had. */
  'lab.resume': { input: RunNamed; output: LabRunRow };
  /** For good: its folder, log, artifacts and metrics. */
  'lab.remove': { input: { readonly runs: readonly string[] }; output: Record<string, never> };
}
