/** Figures sampled on the engine's machine. NaN where the machine exposes no such figure. */
export const TELEMETRY_SERIES = [
  'cpuPct', // whole machine, 0..100
  'engineCpuPct', // engine process, 100 = one core
  'memUsedBytes',
  'memTotalBytes',
  'engineRssBytes',
  'engineAnonBytes',
  'diskReadBytesPerSec',
  'diskWriteBytesPerSec',
  'diskQueue', // requests in flight, time average
  'diskBusyPct',
  'engineReadBytesPerSec', // what the engine itself read
  'gpuPct',
  'gpuMemUsedBytes',
] as const;
export type TelemetrySeries = (typeof TELEMETRY_SERIES)[number];

/** A batch of samples by column; every column has `timeMs.length` entries. */
export interface TelemetryBatch {
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: Float64Array;
  readonly series: Readonly<Record<TelemetrySeries, Float32Array>>;
  /** Samples lost since the engine started because the receiver was slow. */
  readonly dropped: number;
}

export interface DeviceInfo {
  readonly hostname: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memTotalBytes: number;
  readonly disk: string;
  /** Absent where no GPU is visible; `source` says which interface was read. */
  readonly gpu?: { readonly name: string; readonly source: 'nvidia-smi' | 'tegra' | 'drm' };
  /** Figures this machine does not expose: their series are NaN. */
  readonly missing?: readonly MissingFigure[];
}

/** Why series have no values, and where the engine looked for them. */
export interface MissingFigure {
  readonly series: readonly TelemetrySeries[];
  /** Files, commands or calls. */
  readonly lookedFor: string;
  readonly reason: string;
}
