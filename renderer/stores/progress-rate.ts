/** How far something is that goes byte by byte. */
export interface ByteProgress {
  /** Rates are measured within one phase. */
  readonly phase: string;
  readonly doneBytes: number;
  /** 0 while unknown. */
  readonly totalBytes: number;
}

export interface ProgressRate {
  /** Bytes a second over the last few seconds; undefined until two reports of one phase. */
  readonly bytesPerSec?: number;
  /** Seconds to the end of the phase at that rate. */
  readonly etaSec?: number;
  readonly phase: string;
  /** Progress reports of the present phase, oldest first. */
  readonly reports: readonly { readonly atMs: number; readonly doneBytes: number }[];
}

const RATE_WINDOW_MS = 4_000;

/** Adds one progress report and measures the rate over the window. `nowMs`: monotonic milliseconds. */
export function measureRate(
  previous: ProgressRate | undefined,
  progress: ByteProgress,
  nowMs: number,
): ProgressRate {
  const { phase, doneBytes, totalBytes } = progress;
  const lastBytes = previous?.reports.at(-1)?.doneBytes ?? 0;
  const isOn = previous?.phase === phase && lastBytes <= doneBytes;
  const kept = isOn ? previous.reports.filter(({ atMs }) => nowMs - atMs <= RATE_WINDOW_MS) : [];
  const reports = [...kept, { atMs: nowMs, doneBytes }];
  const first = reports[0];
  if (first === undefined || nowMs - first.atMs < 200 || doneBytes === first.doneBytes)
    return { phase, reports };
  const bytesPerSec = ((doneBytes - first.doneBytes) / (nowMs - first.atMs)) * 1000;
  if (totalBytes === 0) return { phase, reports, bytesPerSec };
  return { phase, reports, bytesPerSec, etaSec: Math.max(0, totalBytes - doneBytes) / bytesPerSec };
}
