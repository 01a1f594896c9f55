import { engineClockMs, median, seededRandom, systemClock } from '../../base';
import { SluiceError } from '../../contract';
import { Lab } from '../../lab';
import { getJson, postJson } from './mlflow-http';
import { startLabServer } from './measured-server';

export interface ReadOptions {
  readonly runs: number;
  readonly seriesPoints: number;
  /** Counted ones of each; two before them warm up. */
  readonly repeats: number;
  readonly log: (message: string) => void;
}

export interface ReadTimes {
  /** Over HTTP, medians. */
  readonly searchMs: number;
  readonly sampleMs: number;
  /** The same search by a call within a process. */
  readonly inProcessSearchMs: number;
  readonly foundRuns: number;
  readonly sampledPoints: number;
  /** Of the peaks that were hidden in the series, those that the sample has. */
  readonly keptPeaks: number;
  readonly peaks: number;
}

const MOST_SAMPLES = 1000;
const PAGE = 100;
const WARM_UPS = 2;
const FIELDS = 8;
const BATCH = 1000;
const RUNS_A_COMMIT = 50;
const PEAK = 1e6;
const SERIES = 'series';
const SEARCH = {
  filter: "metrics.m0 > 0.25 AND params.p1 = 'v3'",
  order: 'metrics.m2 DESC',
};

/** Fills a lab with runs and a long series, and asks its server for both. @param folder of the lab. */
export async function benchReads(folder: string, options: ReadOptions): Promise<ReadTimes> {
  const { log, repeats } = options;
  log(`making ${options.runs} runs and a series of ${options.seriesPoints} points`);
  const made = await fill(folder, options);
  const server = await startLabServer(folder);
  try {
    const { url } = server;
    const search = await medianOf(repeats, () =>
      postJson<{ runs: readonly object[] }>(url, 'runs/search', {
        experiment_ids: ['0'],
        filter: SEARCH.filter,
        order_by: [SEARCH.order],
        max_results: PAGE,
      }),
    );
    const sample = await medianOf(repeats, () =>
      getJson<{ metrics: readonly { step: number | string; value: number }[] }>(
        url,
        'metrics/get-history-bulk-interval',
        { run_ids: made.seriesRun, metric_key: SERIES, max_results: String(MOST_SAMPLES) },
      ),
    );
    const { metrics } = sample.last;
    const kept = new Set(
      metrics.filter(({ value }) => Math.abs(value) === PEAK).map(({ step }) => Number(step)),
    );
    return {
      searchMs: search.ms,
      sampleMs: sample.ms,
      inProcessSearchMs: made.inProcessSearchMs,
      foundRuns: search.last.runs.length,
      sampledPoints: metrics.length,
      keptPeaks: made.peaks.filter((step) => kept.has(step)).length,
      peaks: made.peaks.length,
    };
  } finally {
    await server.process.end();
  }
}

interface Made {
  readonly seriesRun: string;
  /** Steps. */
  readonly peaks: readonly number[];
  readonly inProcessSearchMs: number;
}

async function fill(folder: string, { runs, seriesPoints, repeats }: ReadOptions): Promise<Made> {
  const random = seededRandom(1);
  const lab = await Lab.open({
    folder,
    clock: systemClock,
    random,
    defaultUser: 'bench',
    onFault: (message) => {
      throw new SluiceError('internal', message);
    },
  });
  try {
    makeRuns(lab, runs, random);
    const { runId } = lab.tracking.runs.create({ experimentId: '0', name: SERIES }).info;
    const peaks = [0.1, 0.35, 0.5, 0.81].map((part) => Math.floor(part * seriesPoints));
    for (let from = 0; from < seriesPoints; from += BATCH) {
      const metrics = Array.from({ length: Math.min(BATCH, seriesPoints - from) }, (_, index) => {
        const step = from + index;
        const peak = peaks.indexOf(step);
        const value = peak < 0 ? random() : peak % 2 === 0 ? PEAK : -PEAK;
        return { key: SERIES, value, step, timestampMs: step };
      });
      lab.tracking.logBatch({ runId, metrics, params: [], tags: [] });
    }
    lab.tracking.settle();
    const { ms } = await medianOf(repeats, () =>
      lab.tracking.runs.search({
        experimentIds: ['0'],
        filter: SEARCH.filter,
        orderBy: [SEARCH.order],
        maxResults: PAGE,
      }),
    );
    return { seriesRun: runId, peaks, inProcessSearchMs: ms };
  } finally {
    await lab.close();
  }
}

function makeRuns(lab: Lab, count: number, random: () => number): void {
  const fields = Array.from({ length: FIELDS }, (_, index) => index);
  for (let from = 0; from < count; from += RUNS_A_COMMIT) {
    const batches = Array.from({ length: Math.min(RUNS_A_COMMIT, count - from) }, (_, index) => ({
      runId: lab.tracking.runs.create({
        experimentId: '0',
        name: `run ${from + index}`,
        startMs: from + index,
      }).info.runId,
      metrics: fields.map((field) => ({ key: `m${field}`, value: random(), step: 1, timestampMs: 1 })),
      params: fields.map((field) => ({ key: `p${field}`, value: `v${Math.floor(random() * 10)}` })),
      tags: [],
    }));
    lab.tracking.logBatches(batches);
  }
}

/** Of the calls behind the first ones, which warm up. */
async function medianOf<T>(
  repeats: number,
  call: () => T | Promise<T>,
): Promise<{ readonly ms: number; readonly last: T }> {
  const timesMs: number[] = [];
  for (let index = 0; ; index += 1) {
    const startedMs = engineClockMs();
    const last = await call();
    if (index >= WARM_UPS) timesMs.push(engineClockMs() - startedMs);
    if (timesMs.length >= repeats) return { ms: Math.round(median(timesMs) * 1000) / 1000, last };
  }
}
