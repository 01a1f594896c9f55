import type {
  LabBoardRow,
  LabCompetition,
  LabDataset,
  LabDeployment,
  LabModel,
  LabQueue,
  LabQueueJob,
  LabSearch,
  LabSearchSummary,
  LabSubmission,
  LabTrial,
} from '../../core/contract';
import { fakeRunId } from './fake-lab';

/** Test data only: shelves of made-up but consistent shape. Nothing here reaches the product. */
const NOW_MS = Date.UTC(2026, 4, 1, 10);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A number in 0..1 that only the seed decides. */
function drawn(seed: number): number {
  const bits = Math.imul(seed + 1, 0x9e3779b1);
  return ((Math.imul(bits ^ (bits >>> 15), 0x85ebca6b) >>> 0) % 100_000) / 100_000;
}

const POOLS = ['live', 'finished', 'stop', 'dead', 'dead', 'stop'] as const;

export function fakeTrial(id: number, part: Partial<LabTrial> = {}): LabTrial {
  const lr = 10 ** (-4 + 3 * drawn(id * 3));
  const hidden = 8 + Math.floor(drawn(id * 5 + 1) * 120);
  const optimizer = drawn(id * 7 + 2) < 0.6 ? 'adam' : 'sgd';
  const far = Math.abs(Math.log10(lr) + 2.3) * 0.08 + (optimizer === 'sgd' ? 0.03 : 0);
  const best = 0.97 - far - drawn(id * 11) * 0.05 - 0.4 / hidden;
  const pool = POOLS[id % POOLS.length] ?? 'live';
  return {
    id,
    parameters: { lr, hidden, optimizer, epochs: 27 },
    resource: pool === 'finished' ? 27 : ([1, 3, 9][id % 3] ?? 1),
    metric: best - drawn(id) * 0.01,
    best,
    pool,
    runId: fakeRunId(id),
    runName: `ana/digits/${id + 40}`,
    ...part,
  };
}

export function fakeSearchSummary(part: Partial<LabSearchSummary> = {}): LabSearchSummary {
  return {
    id: 'search-3',
    state: 'running',
    createdMs: NOW_MS - HOUR_MS,
    user: 'ana',
    algorithm: 'asha',
    metric: { name: 'accuracy', direction: 'max' },
    entry: 'train.py',
    dataset: 'digits@2',
    spentResource: 214,
    budget: 540,
    trialCount: 40,
    best: 0.9612,
    bestTrial: 7,
    ...part,
  };
}

export function fakeSearch(part: Partial<LabSearch> = {}): LabSearch {
  const trials = part.trials ?? Array.from({ length: 40 }, (_, id) => fakeTrial(id));
  const scored = trials.filter(({ best }) => best !== undefined);
  const best = scored.reduce<LabTrial | undefined>(
    (top, trial) => (top === undefined || (trial.best ?? 0) > (top.best ?? 0) ? trial : top),
    undefined,
  );
  const { best: _best, bestTrial: _trial, ...summary } = fakeSearchSummary({ trialCount: trials.length });
  return {
    ...summary,
    ...(best?.best === undefined ? {} : { best: best.best, bestTrial: best.id }),
    parameters: [
      { name: 'lr', type: 'float', min: 1e-4, max: 0.1, scale: 'log' },
      { name: 'hidden', type: 'int', min: 8, max: 128, scale: 'linear' },
      { name: 'optimizer', type: 'choice', values: ['sgd', 'adam'] },
      { name: 'epochs', type: 'constant', values: [27] },
    ],
    trials,
    ...part,
  };
}

export const FAKE_SEARCHES: readonly LabSearchSummary[] = [
  fakeSearchSummary(),
  fakeSearchSummary({
    id: 'pump-pbt',
    state: 'interrupted',
    algorithm: 'pbt',
    metric: { name: 'loss', direction: 'min' },
    spentResource: 900,
    budget: 1200,
    trialCount: 12,
    best: 0.0413,
  }),
  fakeSearchSummary({
    id: 'search-1',
    state: 'done',
    algorithm: 'hyperband',
    spentResource: 540,
    best: 0.9478,
  }),
];

export function fakeCompetition(part: Partial<LabCompetition> = {}): LabCompetition {
  return {
    name: 'digits',
    title: 'Read handwritten digits',
    description: 'Classify 8 × 8 pictures of digits. Half of the test part counts for the board.',
    dataset: 'digits@2',
    owner: 'chloe',
    metric: { name: 'accuracy', direction: 'max' },
    submissionsPerDay: 5,
    leftToday: 3,
    deadlineMs: NOW_MS + 3 * DAY_MS + 4 * HOUR_MS,
    createdMs: NOW_MS - 9 * DAY_MS,
    ...part,
  };
}

export const FAKE_COMPETITIONS: readonly LabCompetition[] = [
  fakeCompetition(),
  fakeCompetition({
    name: 'pump',
    title: 'Hours until a pump fails',
    description: '',
    dataset: 'pump-vibration@1',
    metric: { name: 'rmse', direction: 'min' },
    leftToday: 0,
    deadlineMs: NOW_MS + 5 * HOUR_MS,
  }),
  fakeCompetition({
    name: 'log',
    title: 'Next line of a maintenance log',
    dataset: 'maintenance-log@7',
    metric: { name: 'perplexity', direction: 'min' },
    deadlineMs: NOW_MS - DAY_MS,
  }),
];

export function fakeBoardRow(part: Partial<LabBoardRow> & { readonly user: string }): LabBoardRow {
  return { rank: 1, score: 0.9722, submittedMs: NOW_MS - DAY_MS, submissions: 4, ...part };
}

export const FAKE_BOARD: readonly LabBoardRow[] = [
  fakeBoardRow({ user: 'dmitri', rank: 1, score: 0.9833, submissions: 11 }),
  fakeBoardRow({ user: 'ana', rank: 2, score: 0.9722, submissions: 6, runId: fakeRunId(12) }),
  fakeBoardRow({ user: 'ben', rank: 2, score: 0.9722, submittedMs: NOW_MS - 3 * HOUR_MS }),
  fakeBoardRow({ user: 'chloe', rank: 4, score: 0.9611, submissions: 2 }),
  fakeBoardRow({ user: 'eve', rank: 5, score: 0.8944, submissions: 1 }),
];

export function fakeSubmission(part: Partial<LabSubmission> & { readonly id: number }): LabSubmission {
  return {
    competition: 'digits',
    runId: fakeRunId(12),
    runName: 'ana/digits/13',
    checkpoint: 'checkpoints/27.pt',
    isDryRun: false,
    state: 'scored',
    score: 0.9722,
    submittedMs: NOW_MS - 2 * HOUR_MS,
    ...part,
  };
}

const { score: _score, ...UNSCORED } = fakeSubmission({ id: 0 });

export const FAKE_SUBMISSIONS: readonly LabSubmission[] = [
  { ...UNSCORED, id: 9, state: 'inferring', submittedMs: NOW_MS - 40_000 },
  {
    ...UNSCORED,
    id: 8,
    isDryRun: true,
    state: 'failed',
    error: 'predict.py ended with exit code 1: ModuleNotFoundError: No module named "torch".',
    submittedMs: NOW_MS - HOUR_MS,
  },
  fakeSubmission({ id: 7 }),
];

export function fakeDataset(part: Partial<LabDataset> & { readonly name: string }): LabDataset {
  return {
    owner: 'ana',
    visibility: 'shared',
    description: '1 797 pictures of handwritten digits, 8 × 8 pixels, with their labels.',
    tags: ['vision', 'small'],
    createdMs: NOW_MS - 20 * DAY_MS,
    versions: [
      {
        number: 2,
        hash: '9c1185a5c5e9fc54612808977ee8f548b2258d31f7c8a9a1f0a2c1f3f6a1b2c3',
        files: 4,
        bytes: 1.4 * MIB,
        note: 'hidden test part',
        createdMs: NOW_MS - 2 * DAY_MS,
        hasHidden: true,
      },
      {
        number: 1,
        hash: '2258d31f7c8a9a1f0a2c1f3f6a1b2c39c1185a5c5e9fc54612808977ee8f548b',
        files: 3,
        bytes: 1.1 * MIB,
        note: '',
        createdMs: NOW_MS - 20 * DAY_MS,
        hasHidden: false,
      },
    ],
    ...part,
  };
}

export const FAKE_DATASETS: readonly LabDataset[] = [
  fakeDataset({ name: 'digits' }),
  fakeDataset({
    name: 'maintenance-log',
    owner: 'chloe',
    description: '',
    tags: [],
    versions: [
      {
        number: 7,
        hash: 'a'.repeat(64),
        files: 1,
        bytes: 331 * MIB,
        note: '',
        createdMs: NOW_MS - DAY_MS,
        hasHidden: false,
      },
    ],
  }),
  fakeDataset({ name: 'pump-vibration', visibility: 'private', tags: ['sensor', 'time series', '2 kHz'] }),
];

export const FAKE_DATASET_FILES = [
  { path: 'test/answers.csv', bytes: 4096, isHidden: true },
  { path: 'test/pictures.bin', bytes: 230_000, isHidden: false },
  { path: 'train/labels.csv', bytes: 12_400, isHidden: false },
  { path: 'train/pictures.bin', bytes: 1.2 * MIB, isHidden: false },
] as const;

export function fakeLabModel(part: Partial<LabModel> & { readonly name: string }): LabModel {
  const version = {
    stage: 'None',
    description: '',
    createdMs: NOW_MS - DAY_MS,
    source: 'mlflow-artifacts:/1/0000000d0000000d0000000d0000000d/artifacts/model.onnx',
    runId: fakeRunId(12),
    runName: 'ana/digits/13',
  };
  return {
    description: 'Reads one digit of 8 × 8 pixels.',
    updatedMs: NOW_MS - HOUR_MS,
    versions: [
      { ...version, version: 4, aliases: ['challenger'] },
      { ...version, version: 3, aliases: ['champion'], createdMs: NOW_MS - 4 * DAY_MS },
      { ...version, version: 2, aliases: [], createdMs: NOW_MS - 9 * DAY_MS },
    ],
    ...part,
  };
}

export const FAKE_LAB_MODELS: readonly LabModel[] = [
  fakeLabModel({ name: 'digit-reader' }),
  fakeLabModel({ name: 'pump-failure', description: '', updatedMs: NOW_MS - 3 * DAY_MS }),
];

export function fakeLabDeployment(part: Partial<LabDeployment> = {}): LabDeployment {
  return {
    endpointId: 'id-edge-7',
    endpointName: 'edge-7',
    model: 'digit-reader',
    servedAs: 'digit-reader',
    state: 'ready',
    stable: { version: 3, sharePct: 90, requests: 48_211, failures: 3, medianMs: 2.14, p95Ms: 4.9 },
    canary: { version: 4, sharePct: 10, requests: 5_310, failures: 0, medianMs: 1.62, p95Ms: 3.7 },
    previousVersion: 2,
    ...part,
  };
}

export function fakeQueueJob(part: Partial<LabQueueJob> & { readonly key: string }): LabQueueJob {
  return {
    title: 'ana/digits/14',
    runId: fakeRunId(13),
    user: 'ana',
    engine: 'local',
    priority: 0,
    state: 'queued',
    resources: { cpus: 1, gpus: 0, memoryBytes: 512 * MIB },
    submittedMs: NOW_MS - 600_000,
    ...part,
  };
}

const { runId: _runId, ...OF_NO_RUN } = fakeQueueJob({ key: '' });

export const FAKE_QUEUE: LabQueue = {
  jobs: [
    fakeQueueJob({
      key: 'a',
      title: 'ben/maintenance-log/3',
      user: 'ben',
      state: 'running',
      startedMs: NOW_MS - 2 * HOUR_MS,
      node: 'edge-07',
      resources: { cpus: 2, gpus: 1, memoryBytes: 4 * GIB },
    }),
    fakeQueueJob({
      key: 'b',
      title: 'ana/digits/13',
      state: 'stopping',
      startedMs: NOW_MS - 840_000,
      node: 'edge-07',
    }),
    fakeQueueJob({
      key: 'c',
      position: 1,
      priority: 10,
      reason: 'waits for 1 GPU and 2.0 GiB of memory',
      resources: { cpus: 1, gpus: 1, memoryBytes: 2 * GIB },
    }),
    { ...OF_NO_RUN, key: 'd', title: 'submission 9', position: 2, reason: 'waits for 4 CPUs' },
    fakeQueueJob({
      key: 'e',
      title: 'chloe/pump-vibration/2',
      user: 'chloe',
      engine: 'slurm',
      position: 1,
      reason: 'its owner has used the 120 GPU minutes of the day',
    }),
  ],
  nodes: [
    {
      engine: 'local',
      name: 'edge-07',
      total: { cpus: 4, gpus: 1, memoryBytes: 16 * GIB },
      free: { cpus: 1, gpus: 0, memoryBytes: 11.5 * GIB },
      isUp: true,
      datasets: ['digits@2', 'maintenance-log@7'],
    },
    {
      engine: 'slurm',
      name: 'n001',
      total: { cpus: 32, gpus: 0, memoryBytes: 128 * GIB },
      free: { cpus: 32, gpus: 0, memoryBytes: 128 * GIB },
      isUp: false,
      datasets: [],
    },
  ],
  account: { cpuMinutes: 212.4, gpuMinutes: 118.2, gpuMinutesBudget: 120 },
};
