/** The pipelines of Demand Layering (RTSS 2022), and everything in memory. */
export type PipelineMode = 'resident' | 'sequential' | 'sync' | 'async';

export const PIPELINE_MODES: readonly PipelineMode[] = ['resident', 'sequential', 'sync', 'async'];

/** One point of the memory-delay curve, as the planner predicts it. */
export interface CurvePoint {
  /** Total parameter memory as allocated, bytes. */
  readonly budgetBytes: number;
  readonly predictedMs: number;
  readonly ringBytes: number;
  readonly residentBytes: number;
  readonly residentLayers: number;
}

/** Latency that was really measured at a budget. */
export interface MeasuredPoint {
  readonly budgetBytes: number;
  readonly mode: PipelineMode;
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly runs: number;
}

export interface MemoryDelayCurve {
  readonly model: string;
  readonly mode: PipelineMode;
  readonly minimumBytes: number;
  /** Budget from which every layer is resident. */
  readonly totalBytes: number;
  /** All-resident latency: the lower asymptote. */
  readonly residentMs: number;
  /** Streamed bytes over the measured read rate with nothing resident: the disk's limit. */
  readonly readLimitMs: number;
  readonly readBytesPerSec: number;
  readonly points: readonly CurvePoint[];
  readonly measured: readonly MeasuredPoint[];
}

/** Where one layer's weights live under a plan. */
export type LayerPlacement = 'resident' | 'streamed' | 'none';

export interface PlanDetail {
  readonly model: string;
  readonly mode: PipelineMode;
  readonly budgetBytes: number;
  /** Bytes really allocated: ring + resident + constants. Never above the budget. */
  readonly parameterMemoryBytes: number;
  readonly ringBytes: number;
  readonly residentBytes: number;
  /** Small constants kept inside ONNX Runtime sessions. */
  readonly constantBytes: number;
  readonly streamedBytesPerRun: number;
  readonly segments: number;
  readonly predictedMs: number;
  /** Per layer, in execution order. */
  readonly placement: readonly LayerPlacement[];
}
