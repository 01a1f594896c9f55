import { median, quantile } from '../../base';
import { round, worstOf } from '../bench/bar';
import type { Bar } from '../bench/bar';
import { latencyBoundMs, type BoundLayer } from './latency-bound';
import type { DiskMeasurement, SideKind } from './side-protocol';

/** What was measured of one side of one network. */
export interface SideMeasurement {
  /** `async@least`, `ort`, `ort-mmap+cgroup`, ... */
  readonly side: string;
  readonly kind: SideKind;
  readonly budgetBytes: number;
  readonly parameterMemoryBytes: number;
  readonly streamedBytes: number;
  /** By the profiling run whose rounds took turns with the sides'. */
  readonly predictedMs: number;
  /** By the profile made before the run, from which the plan was chosen. */
  readonly predictedBeforeMs: number;
  readonly segments: number;
  readonly timesMs: readonly number[];
  readonly stallsMs: readonly number[];
  readonly outputHash: string;
  readonly closeToWhole: boolean;
  readonly maxRelativeError: number;
  readonly anonBytes: number;
  readonly peakBytes: number;
  readonly cgroupLimitBytes?: number;
  readonly error?: string;
}

/** One line of the report; times in milliseconds. */
export interface BenchRow {
  readonly network: string;
  readonly side: string;
  readonly mode: SideKind;
  readonly weightBytes: number;
  readonly budgetBytes: number;
  readonly parameterMemoryBytes: number;
  /** How much less parameter memory than all weights. */
  readonly reductionPct: number;
  readonly streamedBytes: number;
  readonly segments: number;
  readonly runs: number;
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly stallMs: number;
  /** Against the resident side of the same run. */
  readonly overheadPct: number;
  readonly overheadMs: number;
  /** median / max(resident median, streamed bytes / read rate of this run). */
  readonly limitRatio: number;
  readonly predictedMs: number;
  readonly predictionErrorPct: number;
  /** By the profile made before the run: with the machine's drift since then. */
  readonly predictedBeforeMs: number;
  readonly errorBeforePct: number;
  /** Least latency that this compute, disk and memory allow any order of reads (see latency-bound.ts). */
  readonly boundMs: number;
  readonly boundRatio: number;
  readonly anonBytes: number;
  readonly peakBytes: number;
  /** Same bits as the resident side. ONNX Runtime's sides: close to the whole model (rtol 1e-3). */
  readonly outputsEqual: boolean;
  readonly closeToWhole: boolean;
  readonly maxRelativeError: number;
  readonly cgroupLimitBytes?: number;
  readonly error?: string;
}

export interface NetworkContext {
  readonly network: string;
  readonly weightBytes: number;
  readonly disk: DiskMeasurement;
  readonly threads: number;
  readonly resident: SideMeasurement;
  /** Compute times in any unit: they are scaled to the resident median. */
  readonly layers: readonly BoundLayer[];
}

export function toRow(context: NetworkContext, measured: SideMeasurement): BenchRow {
  const medianMs = median(measured.timesMs);
  const residentMs = median(context.resident.timesMs);
  const readMs = (measured.streamedBytes / context.disk.readBytesPerSec) * 1000;
  const boundMs = boundOf(context, measured, residentMs);
  const isOrt = measured.kind === 'ort' || measured.kind === 'ort-mmap';
  const { timesMs: _times, stallsMs, outputHash, kind, ...rest } = measured;
  return {
    ...rest,
    network: context.network,
    mode: kind,
    weightBytes: context.weightBytes,
    reductionPct: percent(1 - measured.parameterMemoryBytes / context.weightBytes),
    runs: measured.timesMs.length,
    medianMs: round(medianMs),
    p10Ms: round(quantile(measured.timesMs, 0.1)),
    p90Ms: round(quantile(measured.timesMs, 0.9)),
    p99Ms: round(quantile(measured.timesMs, 0.99)),
    stallMs: round(median(stallsMs)),
    overheadPct: percent(medianMs / residentMs - 1),
    overheadMs: round(medianMs - residentMs),
    limitRatio: round(medianMs / Math.max(residentMs, readMs)),
    predictedMs: round(measured.predictedMs),
    predictionErrorPct: measured.predictedMs === 0 ? 0 : percent(measured.predictedMs / medianMs - 1),
    predictedBeforeMs: round(measured.predictedBeforeMs),
    errorBeforePct: measured.predictedBeforeMs === 0 ? 0 : percent(measured.predictedBeforeMs / medianMs - 1),
    boundMs: round(boundMs),
    boundRatio: round(medianMs / boundMs),
    outputsEqual: isOrt ? measured.closeToWhole : outputHash === context.resident.outputHash,
  };
}

function boundOf(context: NetworkContext, measured: SideMeasurement, residentMs: number): number {
  const wholeMs = context.layers.reduce((sum, layer) => sum + layer.computeMs, 0);
  const layers = context.layers.map((layer) => ({
    ...layer,
    computeMs: (layer.computeMs * residentMs) / wholeMs,
  }));
  const memoryBytes = measured.parameterMemoryBytes;
  return latencyBoundMs(layers, { ...context.disk, memoryBytes, threads: context.threads });
}

export function judge(rows: readonly BenchRow[]): Bar[] {
  const of = (side: string): BenchRow[] => rows.filter((row) => row.side === side && !row.error);
  const whole = new Map(of('ort').map((row) => [row.network, row.medianMs]));
  const asyncRows = [...of('async@least'), ...of('async@11.6%')];
  const sluice = rows.filter((row) => !row.mode.startsWith('ort') && !row.error);
  const residentMs = new Map(of('resident').map((row) => [row.network, row.medianMs]));
  const computeBound = (row: BenchRow): boolean => isComputeBound(row, residentMs);
  const medianErrorPct = median(asyncRows.map((row) => Math.abs(row.predictionErrorPct)));
  const bars = [
    worst(
      'resident within 5% of whole-model ONNX Runtime',
      '<= 1.05',
      of('resident'),
      (row) => row.medianMs / (whole.get(row.network) ?? row.medianMs),
      1.05,
    ),
    worst('limitRatio of async', '<= 1.15', asyncRows, (row) => row.limitRatio, 1.15),
    worst(
      'async over what compute, disk and memory allow (boundRatio)',
      '<= 1.15',
      asyncRows,
      (row) => row.boundRatio,
      1.15,
    ),
    worst(
      'prediction error of async, percent',
      '<= 3',
      asyncRows,
      (row) => Math.abs(row.predictionErrorPct),
      3,
    ),
    {
      bar: 'prediction error of async, percent, median of the rows',
      target: '<= 3',
      value: round(medianErrorPct),
      met: medianErrorPct <= 3,
    },
    average(
      'reduction at the least budget, percent, average',
      '>= 96.5',
      of('async@least'),
      (row) => row.reductionPct,
      (value) => value >= 96.5,
    ),
    average(
      'overhead at the least budget where compute exceeds reads, percent, average',
      '<= 14.8',
      of('async@least').filter(computeBound),
      (row) => row.overheadPct,
      (value) => value <= 14.8,
    ),
    worst(
      'overhead at 88.4% reduction where compute exceeds reads: percent (or 1 ms)',
      '<= 1',
      of('async@11.6%').filter(computeBound),
      (row) => (row.overheadMs < 1 ? Math.min(1, row.overheadPct) : row.overheadPct),
      1,
    ),
    worst(
      'modes whose outputs differ from resident, bit for bit',
      '0',
      sluice,
      (row) => Number(!row.outputsEqual),
      0,
    ),
    worst(
      'sides not close to whole-model ONNX Runtime (rtol 1e-3)',
      '0',
      sluice,
      (row) => Number(!row.closeToWhole),
      0,
    ),
    ...mmapBars(rows),
  ];
  return bars.filter((bar) => !Number.isNaN(bar.value));
}

/** Whether a network computes longer than its streamed bytes take to read, by the figures of its own row. */
function isComputeBound(row: BenchRow, residentMs: ReadonlyMap<string, number>): boolean {
  const resident = residentMs.get(row.network) ?? 0;
  // limitRatio's denominator is the resident median exactly when computing is the longer of the two.
  return Math.abs(row.limitRatio - row.medianMs / resident) < 0.002;
}

function mmapBars(rows: readonly BenchRow[]): Bar[] {
  return rows
    .filter((row) => row.side === 'async@11.6%+cgroup' && !row.error)
    .flatMap((row) => {
      const rival = rows.find((other) => other.network === row.network && other.side === 'ort-mmap+cgroup');
      if (!rival || rival.error) return [];
      const factor = round(rival.medianMs / row.medianMs);
      return [
        {
          bar: `${row.network}: faster than memory mapping under the same memory cgroup`,
          target: '> 1',
          value: factor,
          met: factor > 1,
        },
      ];
    });
}

function worst(
  bar: string,
  target: string,
  rows: readonly BenchRow[],
  figure: (row: BenchRow) => number,
  limit: number,
): Bar {
  return worstOf(bar, target, rows, { figure, limit, name: (row) => `${row.network} ${row.side}` });
}

function average(
  bar: string,
  target: string,
  rows: readonly BenchRow[],
  figure: (row: BenchRow) => number,
  isMet: (value: number) => boolean,
): Bar {
  const value = round(rows.reduce((sum, row) => sum + figure(row), 0) / rows.length);
  return { bar, target, value, met: isMet(value) };
}

function percent(share: number): number {
  return Math.round(share * 10000) / 100;
}
