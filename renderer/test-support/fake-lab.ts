import type { LabRunRow, LabRunState, LabSeries, LabStatus } from '../../core/contract';

/** Test data only: runs of made-up but consistent shape. Nothing here reaches the product. */
const NOW_MS = Date.UTC(2026, 4, 1, 10);
const HOUR_MS = 3_600_000;

export const FAKE_LAB_STATUS: LabStatus = {
  state: 'ready',
  url: 'http://127.0.0.1:5000',
  folder: '/home/user/.local/share/sluice/lab',
  isShared: true,
  user: 'ana',
};

const USERS = ['ana', 'ben', 'chloe', 'dmitri'] as const;
const DATASETS = ['digits@2', 'maintenance-log@7', 'pump-vibration@1'] as const;
const STATES: readonly LabRunState[] = [
  'running',
  'succeeded',
  'succeeded',
  'succeeded',
  'failed',
  'stopped',
];

/** 32 hexadecimal digits that differ by index. */
export function fakeRunId(index: number): string {
  return (index + 1).toString(16).padStart(8, '0').repeat(4);
}

export function fakeRunRow(part: Partial<LabRunRow> & { readonly runId: string }): LabRunRow {
  return {
    name: 'ana/digits/7',
    user: 'ana',
    experiment: 'digits',
    state: 'succeeded',
    isLaunched: true,
    createdMs: NOW_MS - HOUR_MS,
    startedMs: NOW_MS - HOUR_MS + 4000,
    endedMs: NOW_MS - HOUR_MS + 274_000,
    program: 'train.py --lr 0.01 --layers 2',
    dataset: 'digits@2',
    engine: 'local',
    node: 'edge-07',
    attempt: 1,
    params: { lr: '0.01', layers: '2', optimiser: 'adam' },
    metrics: { loss: 0.213, accuracy: 0.942 },
    tags: {},
    ...part,
  };
}

/** A number in 0..1 that only the seed decides. */
function drawn(seed: number): number {
  const bits = Math.imul(seed + 1, 0x9e3779b1) ^ (seed >>> 3);
  return ((Math.imul(bits ^ (bits >>> 15), 0x85ebca6b) >>> 0) % 100_000) / 100_000;
}

/** One of many runs: four users, three data sets, searches with their trials, some that fail and some that diverge. */
export function fakeRunAt(index: number, count: number): LabRunRow {
  const user = USERS[Math.floor(drawn(index) * USERS.length)] ?? 'ana';
  const dataset = DATASETS[Math.floor(drawn(index * 7 + 1) * DATASETS.length)] ?? DATASETS[0];
  const state: LabRunState =
    index >= count - 3 ? 'queued' : (STATES[Math.floor(drawn(index * 3 + 2) * STATES.length)] ?? 'succeeded');
  const lr = 10 ** (-4 + 3 * drawn(index * 11 + 3));
  const layers = 1 + Math.floor(drawn(index * 13 + 4) * 6);
  const isDiverged = lr > 0.07 && state === 'failed';
  const loss = isDiverged
    ? Number.NaN
    : 0.05 + Math.abs(Math.log10(lr) + 2.4) * 0.3 + drawn(index * 17) * 0.1;
  const createdMs = NOW_MS - (count - index) * 97_000;
  const lengthMs = 20_000 + drawn(index * 5) * 2 * HOUR_MS;
  const hasBegun = state !== 'queued';
  return fakeRunRow({
    runId: fakeRunId(index),
    name: `${user}/${dataset.split('@')[0]}/${index + 1}`,
    user,
    experiment: dataset.split('@')[0] ?? '',
    dataset,
    state,
    createdMs,
    ...(hasBegun ? { startedMs: createdMs + 4000 } : { position: index - (count - 4) }),
    ...(hasBegun && state !== 'running' ? { endedMs: createdMs + lengthMs } : {}),
    program: `train.py --lr ${lr.toPrecision(3)} --layers ${layers}`,
    ...(index % 5 === 0 ? { search: `asha-${Math.floor(index / 50)}` } : {}),
    ...(index % 9 === 0 && index > 9 ? { parent: `${user}/${dataset.split('@')[0]}/${index - 8}` } : {}),
    ...(state === 'failed' ? { reason: 'it ended with exit code 1', exitCode: 1 } : {}),
    params: {
      lr: lr.toPrecision(3),
      layers: String(layers),
      optimiser: drawn(index * 19) < 0.6 ? 'adam' : 'sgd',
      batch: String(16 * 2 ** Math.floor(drawn(index * 23) * 4)),
    },
    metrics: hasBegun
      ? {
          loss,
          accuracy: isDiverged ? Number.NaN : Math.max(0, 1 - loss * 0.6),
          'time/epoch': 2 + layers * 0.7,
        }
      : {},
    tags: index % 4 === 0 ? { team: 'vision' } : {},
  });
}

export function fakeRuns(count: number): readonly LabRunRow[] {
  return Array.from({ length: count }, (_, index) => fakeRunAt(index, count)).reverse();
}

/** A metric that falls, with noise, a point a step; `stepMs` apart. */
export function fakeSeries(runId: string, key: string, points: number, seed = 1): LabSeries {
  const rises = key.includes('acc');
  const column = (of: (index: number) => number): Float64Array =>
    Float64Array.from({ length: points }, (_, i) => of(i));
  return {
    runId,
    key,
    step: column((index) => index * 10),
    timestampMs: column((index) => NOW_MS - HOUR_MS + index * 1350),
    value: column((index) => {
      const falling =
        0.1 + 1.6 * Math.exp((-3 * index) / points) + 0.12 * (drawn(index * 31 + seed * 977) - 0.5);
      return rises ? 1 - falling / 2 : falling;
    }),
  };
}
