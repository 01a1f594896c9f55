/** What a job may use. */
export interface JobResources {
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryBytes: number;
}

export interface JobSpec {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Where it runs; absolute. */
  readonly folder: string;
  /** Added to a small environment of the engine's own; nothing else of the server's environment is handed on. */
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: JobResources;
  /** Absolute; standard output and error are appended to it as they come. */
  readonly logFile: string;
  /** A container image; engines without containers refuse it. */
  readonly image?: string;
  /** Nodes that hold the job's dataset already, best first. */
  readonly preferredNodes?: readonly string[];
}

/** `lost`: it ran, and nobody can tell any more how it ended. */
export type JobState = 'queued' | 'running' | 'stopping' | 'succeeded' | 'failed' | 'stopped' | 'lost';

export interface JobStatus {
  readonly state: JobState;
  readonly node?: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly exitCode?: number;
  /** `SIGKILL`, ... */
  readonly signal?: string;
  /** Why it waits, failed to start or was ended: for people. */
  readonly reason?: string;
  /** Since when it has not used its accelerator (without one, its processors); absent while it does, or nobody can tell. */
  readonly idleSinceMs?: number;
}

export interface JobNode {
  readonly name: string;
  /** In all, and not taken by jobs now. */
  readonly total: JobResources;
  readonly free: JobResources;
  readonly isUp: boolean;
}

/**
 * Where jobs run. Whoever submits chooses a job's key, so that after a crash at any moment the same submission can be made
 * again: an engine runs a key once, however often it is submitted.
 */
export interface JobEngine {
  /** As `--engine` takes it: `local`, `slurm`, `ray`. */
  readonly name: string;
  /** It orders jobs itself, by rules of its own (Slurm): it is given all at once. Otherwise only what fits now. */
  readonly queuesItself?: boolean;
  /**
   * Takes a job; it may wait for its resources. Of a key that was submitted before nothing happens.
   * @param key letters, digits and hyphens, at most 60.
   * @throws SluiceError `bad-input` (a program or folder that is not there, more than any node has), `unsupported` (an
   * image), `unavailable` (the engine can't be reached).
   */
  submit(key: string, spec: JobSpec): Promise<void>;
  /** Of jobs that were submitted, also before a restart; keys the engine does not know are left out. @throws `unavailable`. */
  statuses(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;
  /** Ends a job and all processes it started: asks them first, and kills what is left after `graceMs`. */
  stop(key: string, graceMs: number): Promise<void>;
  /** The keys of jobs of which something is kept. */
  kept(): Promise<readonly string[]>;
  /**
   * Removes what is kept of a job that has ended and that nobody will ask for, nor submit again. Of one that goes on
   * nothing happens. @returns bytes freed. @throws SluiceError `io`.
   */
  clear(key: string): Promise<number>;
  nodes(): Promise<readonly JobNode[]>;
  /** Calls back when a job may have changed; engines that must be asked do so themselves. @returns what ends it. */
  watch(onChange: (key: string) => void): () => void;
  /** Lets go of the engine; jobs go on. */
  close(): Promise<void>;
}
