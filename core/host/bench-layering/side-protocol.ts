import type { StoreProfile } from '../../layering';

/** One way to run a network; each lives in a process of its own, so that its memory can be told apart. */
export type SideKind = 'resident' | 'async' | 'sync' | 'sequential' | 'ort' | 'ort-mmap';

export interface SideRequest {
  readonly kind: SideKind;
  /** Layer store, for Sluice's sides. */
  readonly storePath: string;
  /** ONNX file, for ONNX Runtime's sides: the source, or the optimised graph with external weights. */
  readonly modelPath: string;
  readonly budgetBytes?: number;
  readonly threads: number;
}

export type SideCommand =
  | { readonly kind: 'open'; readonly side: SideRequest }
  /** Runs back to back; the first `warmUps` are not counted. */
  | { readonly kind: 'burst'; readonly warmUps: number; readonly runs: number }
  /** Direct reads by the side's own readers: their rate, and what they cost. */
  | { readonly kind: 'measure-disk' }
  /** The plan's latency by a profile. */
  | { readonly kind: 'predict'; readonly profile: StoreProfile }
  /** One more round of a profiling run, which begins with the first. */
  | { readonly kind: 'profile-round'; readonly storePath: string; readonly threads: number }
  /** What all rounds have shown. */
  | { readonly kind: 'profile' }
  | { readonly kind: 'end' };

export interface OpenedSide {
  /** As allocated: ring, resident weights, constants. For ONNX Runtime: all weights. */
  readonly parameterMemoryBytes: number;
  readonly streamedBytes: number;
  readonly predictedMs: number;
  readonly segments: number;
}

export interface BurstResult {
  readonly timesMs: readonly number[];
  readonly stallsMs: readonly number[];
  /** SHA-256 of all output bytes. */
  readonly outputHash: string;
  /** Memory of the process that no file backs (RssAnon), bytes. */
  readonly anonBytes: number;
  /** Largest resident memory so far, file-backed pages included. */
  readonly peakBytes: number;
  /** Weights that are in memory because they are mapped, bytes. */
  readonly mappedBytes: number;
}

/** What direct reads do. */
export interface DiskMeasurement {
  /** With nothing else going on. */
  readonly readBytesPerSec: number;
  /**
   * CPU time that programs on all compute threads lose to a gigabyte of reads, milliseconds: the readers' own, the
   * kernel's, and what a hypervisor takes from a virtual machine's cores to serve its disk.
   */
  readonly cpuMsPerGB: number;
}

export type SideAnswer =
  | OpenedSide
  | BurstResult
  | DiskMeasurement
  | { readonly predictedMs: number }
  | { readonly profile: StoreProfile }
  | Record<string, never>;
