import type { WireError } from '../../contract';

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
  /** Direct read rate, by the side's own readers. */
  | { readonly kind: 'read-rate' }
  /** The plan's latency if the disk had this rate, everything else as profiled. */
  | { readonly kind: 'predict'; readonly readBytesPerSec: number }
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
}

export type SideReply =
  | { readonly ok: true; readonly value: OpenedSide | BurstResult | { readonly figure: number } }
  | { readonly ok: false; readonly error: WireError };
