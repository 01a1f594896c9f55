import { SluiceError, TELEMETRY_SERIES } from '../../core/contract';
import type {
  BudgetState,
  ClientMessage,
  EngineMessage,
  Events,
  EventName,
  MeasuredPoint,
  ModelSummary,
  RequestInput,
  RequestName,
  RequestOutput,
  RunRecord,
  RunResult,
  TelemetryBatch,
} from '../../core/contract';
import { fakeCurve, fakeDetail, fakeModel, fakePlan } from './fake-library';
import { FAKE_LAB_STATUS } from './fake-lab';
import { FAKE_COMPRESSORS } from './fake-language';
import { EMPTY_DEPLOYMENT, FAKE_REMOTE_TRACE, fakeBeliefs, fakeLearning } from './fake-offload';

type Handlers = {
  [N in RequestName]?: (input: RequestInput<N>) => RequestOutput<N> | Promise<RequestOutput<N>>;
};

/** A scripted engine for tests and for looking at the console: it answers, it computes nothing. */
export interface FakeEngine {
  readonly receive: (message: ClientMessage) => Promise<void>;
  readonly emit: <E extends EventName>(event: E, payload: Events[E]) => void;
  /** Replaces answers; a handler that throws a SluiceError gives an error reply. */
  readonly script: (handlers: Handlers) => void;
  readonly received: readonly ClientMessage[];
}

export const EXAMPLE_MODEL = fakeModel({
  name: 'text-reader',
  task: { kind: 'text', detector: 'pp-ocr-det', recognizer: 'pp-ocr-rec' },
  weightBytes: 14.6 * 2 ** 20,
  layers: 148,
  minimumBytes: 1.2 * 2 ** 20,
  largestLayerBytes: 0.9 * 2 ** 20,
});

export function fakeBatch(timeMs: number, index: number): TelemetryBatch {
  const value = (name: string): number => {
    const wave = Math.sin(index / 7);
    if (name === 'cpuPct') return 41 + 9 * wave;
    if (name === 'memUsedBytes') return 9.2 * 2 ** 30;
    if (name === 'memTotalBytes') return 24 * 2 ** 30;
    if (name === 'diskReadBytesPerSec' || name === 'engineReadBytesPerSec') return 890e6 + 40e6 * wave;
    if (name === 'diskQueue') return 2.6 + 0.4 * wave;
    if (name.startsWith('gpu')) return Number.NaN;
    return 20 + 5 * wave;
  };
  const series = Object.fromEntries(TELEMETRY_SERIES.map((name) => [name, Float32Array.of(value(name))]));
  return { timeMs: Float64Array.of(timeMs), series: series as TelemetryBatch['series'], dropped: 0 };
}

export function fakeRun(part: Partial<RunRecord> & { readonly id: string }): RunRecord {
  return {
    model: 'resnet50',
    mode: 'async',
    budgetBytes: 12 * 2 ** 20,
    inputName: 'cat.jpg',
    startedAt: '2026-05-01T10:00:00.000Z',
    state: 'running',
    hasTrace: false,
    ...part,
  };
}

export const TEXT_RESULT: RunResult = {
  kind: 'text',
  width: 640,
  height: 400,
  lines: [
    { text: 'HARBOUR CAFE', confidence: 0.992, quad: [120, 60, 520, 60, 520, 110, 120, 110] },
    { text: 'Espresso  2.40', confidence: 0.981, quad: [90, 160, 420, 150, 421, 190, 91, 200] },
    { text: 'TOTAL  11.85', confidence: 0.973, quad: [90, 300, 420, 300, 420, 340, 90, 340] },
  ],
};

function defaultHandlers(
  models: () => readonly ModelSummary[],
  measured: readonly MeasuredPoint[],
): Handlers {
  const find = (name: string): ModelSummary => {
    const model = models().find((candidate) => candidate.name === name);
    if (model === undefined) throw new SluiceError('not-found', `No model "${name}" in the library.`);
    return model;
  };
  const budget: BudgetState = {
    limitBytes: 512 * 2 ** 20,
    holders: [
      {
        model: 'resnet50',
        ringBytes: 96 * 2 ** 20,
        residentBytes: 200 * 2 ** 20,
        constantBytes: 22 * 2 ** 20,
        activationBytes: 12 * 2 ** 20,
      },
    ],
  };
  return {
    'engine.info': () => ({
      version: '0.1.0',
      runtimeVersion: '1.30.0',
      instructionSet: 'avx512',
      providers: ['cpu'],
      threads: 2,
      dataDir: '/tmp',
      pid: 42,
      startedAt: '2026-05-01T09:00:00.000Z',
    }),
    'device.info': () => ({
      hostname: 'edge-07',
      os: 'Debian 13',
      cpu: 'x86-64, 2 cores',
      cores: 2,
      memTotalBytes: 24 * 2 ** 30,
      disk: 'virtio',
    }),
    'telemetry.watch': () => ({}),
    'models.list': () => models(),
    'models.removed': () => [],
    'models.inspect': ({ name }) => fakeDetail(find(name)),
    'models.verify': ({ name }) => ({
      name,
      ok: true,
      layersChecked: find(name).layers,
      bytesChecked: find(name).weightBytes,
      faults: [],
    }),
    'jobs.list': () => [],
    'jobs.cancel': () => ({}),
    'plan.curve': ({ model, mode }) => fakeCurve(find(model), mode, measured),
    'plan.at': ({ model, mode, budgetBytes }) => fakePlan(find(model), mode, budgetBytes),
    'inputs.examples': () => [
      { id: 'sign', title: 'Photographed sign', forTask: 'text' },
      { id: 'cat', title: 'Cat on a sofa', forTask: 'classification' },
    ],
    'runs.list': () => [],
    'runs.stop': () => ({}),
    'endpoints.list': () => [],
    'offload.state': () => EMPTY_DEPLOYMENT,
    'offload.decisions': () => [],
    'offload.beliefs': () => fakeBeliefs(EMPTY_DEPLOYMENT),
    'offload.curve': () => fakeLearning(),
    'offload.trace': () => FAKE_REMOTE_TRACE,
    'language.models': () => [],
    'language.compressors': () => FAKE_COMPRESSORS,
    'language.conversations': () => [],
    'lab.status': () => FAKE_LAB_STATUS,
    'lab.runs': () => ({ revision: '1', isWhole: true, runs: [], removed: [] }),
    'fleet.list': () => [],
    'fleet.pushes': () => [],
    'fleet.follow': () => ({}),
    'budget.get': () => budget,
    'budget.set': ({ limitBytes }) => ({ ...budget, limitBytes }),
  };
}

export interface FakeEngineOptions {
  readonly send: (message: EngineMessage) => void;
  readonly models?: readonly ModelSummary[];
  readonly measured?: readonly MeasuredPoint[];
}

export function createFakeEngine({ send, models = [], measured = [] }: FakeEngineOptions): FakeEngine {
  const handlers = defaultHandlers(() => models, measured);
  const received: ClientMessage[] = [];
  return {
    received,
    script: (more) => Object.assign(handlers, more),
    emit: (event, payload) => send({ event, payload } as EngineMessage),
    receive: async (message) => {
      received.push(message);
      try {
        const handler = handlers[message.request] as ((input: unknown) => unknown) | undefined;
        if (handler === undefined)
          throw new SluiceError('unsupported', `the fake engine has no script for ${message.request}`);
        send({ id: message.id, reply: { ok: true, value: await handler(message.input) } });
      } catch (thrown) {
        send({ id: message.id, reply: { ok: false, error: SluiceError.from(thrown).toWire() } });
      }
    },
  };
}
