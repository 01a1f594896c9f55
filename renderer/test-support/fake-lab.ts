import { SluiceError } from '../../core/contract';
import type {
  LabArtifact,
  LabRunDetail,
  LabRunRow,
  LabRunState,
  LabSeries,
  LabStatus,
  RequestInput,
} from '../../core/contract';

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
  const { startedMs: _started, endedMs: _ended, ...base } = fakeRunRow({ runId: fakeRunId(index) });
  return {
    ...base,
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
  };
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

/** What a run's page shows, beyond its row. */
export function fakeRunDetail(row: LabRunRow, part: Partial<LabRunDetail> = {}): LabRunDetail {
  return {
    ...row,
    entry: 'train.py',
    args: ['--lr', '0.01', '--layers', '2'],
    environment: { OMP_NUM_THREADS: '2' },
    resources: { cpus: 2, gpus: 0, memoryBytes: 2 ** 30 },
    code: { hash: 'c0de'.repeat(16), files: 4, bytes: 18_432 },
    datasetHash: 'da7a'.repeat(16),
    forks: [{ runId: fakeRunId(90_001), name: 'ana/digits/9', state: 'running' }],
    checkpoints: ['checkpoints/step-300.json', 'checkpoints/step-200.json', 'checkpoints/step-100.json'],
    models: [{ model: 'digits', version: 3 }],
    ...part,
  };
}

/** A log as programs write it: progress over itself, colours, long and many lines. */
export function fakeLogText(lines: number, from = 0): string {
  return Array.from({ length: lines }, (_, index) => {
    const step = from + index;
    if (step % 50 === 0)
      return `\u001b[32mepoch ${step / 50}\u001b[0m checkpoint written to checkpoints/step-${step}.json\n`;
    if (step % 37 === 0)
      return `\u001b[33mwarning\u001b[0m: gradient norm ${(drawn(step) * 9).toFixed(2)} clipped to 1.00\n`;
    return `step ${step}: 10%\rstep ${step}: loss ${(0.1 + 1.6 * Math.exp(-step / 300)).toFixed(4)}, ${(12 + drawn(step)).toFixed(1)} ms\n`;
  }).join('');
}

/** Answers to what the views of runs ask, over rows that stay as they are. */
export function fakeLabRuns(rows: readonly LabRunRow[], logText = fakeLogText(400)) {
  const find = (run: string): LabRunRow => {
    const row = rows.find(({ runId, name }) => runId === run || name === run);
    if (row === undefined) throw new SluiceError('not-found', `There is no run "${run}".`);
    return row;
  };
  const logBytes = new TextEncoder().encode(logText).length;
  return {
    'lab.runs': () => ({ revision: '1', isWhole: true, runs: rows, removed: [] }),
    'lab.run': ({ run }: { readonly run: string }) => fakeRunDetail(find(run)),
    'lab.series': (input: RequestInput<'lab.series'>) =>
      input.runIds
        .filter((id) => input.key in find(id).metrics)
        .map((id) => fakeSeries(id, input.key, 300, Number.parseInt(id.slice(0, 8), 16))),
    'lab.log': ({ offset }: { readonly offset: number }) =>
      offset < 0 || offset < logBytes
        ? { text: logText, nextOffset: logBytes, bytes: logBytes, isEnd: true }
        : { text: '', nextOffset: logBytes, bytes: logBytes, isEnd: true },
    'lab.artifacts': ({ path }: { readonly path: string }): readonly LabArtifact[] =>
      path === ''
        ? [
            { path: 'checkpoints', isFolder: true, bytes: 0 },
            { path: 'confusion.csv', isFolder: false, bytes: 212 },
            { path: 'config.json', isFolder: false, bytes: 74 },
          ]
        : [{ path: `${path}/step-300.json`, isFolder: false, bytes: 48_112 }],
    'lab.artifact': ({ path }: { readonly path: string }) => {
      const isTable = path.endsWith('.csv');
      const text = isTable
        ? 'digit,right,wrong\n0,97,3\n1,99,1\n"8, looped",88,12\n'
        : '{"lr":0.01,"layers":2}';
      const bytes = new TextEncoder().encode(text);
      return { mime: isTable ? 'text/csv' : 'application/json', bytes, totalBytes: bytes.length };
    },
    'lab.competitions': () => [],
  };
}
