import type { WireError } from './errors';
import type { PipelineMode, PlanDetail } from './plan';

/** What is fed to a model. */
export type RunInput =
  /** An example that ships with Sluice (`inputs.examples` lists them). */
  | { readonly kind: 'example'; readonly id: string }
  /** An image file, or a JSON object of `{inputName: {shape, data}}`, on the engine's machine. */
  | { readonly kind: 'file'; readonly path: string }
  /** Bytes sent along by a browser or a drop. */
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array }
  /** Seeded uniform noise in [-1, 1) of the model's input shapes. Free dimensions take `freeDim` (default 1). */
  | { readonly kind: 'random'; readonly seed: number; readonly freeDim?: number };

export interface ExampleInput {
  readonly id: string;
  readonly title: string;
  readonly forTask: 'text' | 'classification' | 'tensor';
}

export interface RunRequest {
  readonly model: string;
  readonly input: RunInput;
  readonly mode: PipelineMode;
  /** Parameter memory for this model, bytes. Required unless mode is `resident`. */
  readonly budgetBytes?: number;
  readonly repeat: 'once' | 'continuous';
  /** Continuous only: start one inference every `periodMs` (a periodic task); absent: back to back. */
  readonly periodMs?: number;
  /** Continuous only: an inference that takes longer counts as a missed deadline. Defaults to the period. */
  readonly deadlineMs?: number;
}

/** Corners in input-image pixels, clockwise from top left: [x0,y0,x1,y1,x2,y2,x3,y3]. */
export type Quad = readonly [number, number, number, number, number, number, number, number];

export type RunResult =
  | {
      readonly kind: 'text';
      readonly width: number;
      readonly height: number;
      readonly lines: readonly { readonly text: string; readonly confidence: number; readonly quad: Quad }[];
    }
  | {
      readonly kind: 'classification';
      readonly width: number;
      readonly height: number;
      readonly top: readonly {
        readonly index: number;
        readonly label: string;
        readonly probability: number;
      }[];
    }
  | {
      readonly kind: 'tensors';
      readonly outputs: readonly {
        readonly name: string;
        readonly dtype: string;
        readonly shape: readonly number[];
        readonly min: number;
        readonly max: number;
        readonly mean: number;
        /** The first values, row-major. */
        readonly head: readonly number[];
      }[];
    };

/** Latency over all inferences of a run so far. */
export interface RunStats {
  readonly inferences: number;
  readonly medianMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
  /** Time the compute side waited for reads in the last inference. */
  readonly lastStallMs: number;
  readonly readBytesLast: number;
  readonly missedDeadlines: number;
}

export interface RunRecord {
  readonly id: string;
  readonly model: string;
  readonly mode: PipelineMode;
  readonly budgetBytes: number;
  readonly inputName: string;
  readonly startedAt: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly error?: WireError;
  readonly stats?: RunStats;
  readonly plan?: PlanDetail;
  readonly result?: RunResult;
  /** Whether `runs.trace` has spans for it. */
  readonly hasTrace: boolean;
}

/** Span kinds; the number is the value in `TraceColumns.kind`. */
export const SPAN_KINDS = ['read', 'wait', 'compute'] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

/** Spans of one inference, by column; all arrays have one entry a span, sorted by `startUs`. */
export interface TraceColumns {
  readonly runId: string;
  /** Index into `layerNames`. For reads, the first layer the chunk belongs to. */
  readonly layer: Uint32Array;
  /** Index into `SPAN_KINDS`. */
  readonly kind: Uint8Array;
  /** Microseconds since the trace began. */
  readonly startUs: Float64Array;
  readonly durationUs: Float64Array;
  /** Read: bytes read. Compute: weight bytes of the layer. Wait: bytes waited for. */
  readonly bytes: Float64Array;
  readonly layerNames: readonly string[];
  /** Ring occupancy, as steps: time and bytes held. */
  readonly ringAtUs: Float64Array;
  readonly ringBytes: Float64Array;
  readonly ringCapacityBytes: number;
}
