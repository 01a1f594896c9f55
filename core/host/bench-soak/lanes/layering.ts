import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import type { Events, ModelSummary, RunRequest } from '../../../contract';
import { writeZooModel, zooNetwork } from '../../../zoo';
import type { HostLink } from '../../bench/host-link';
import type { SoakWorld } from '../soak-world';
import type { Lane } from './lane';

const MODES = ['async', 'sync', 'sequential'] as const;
/** Runs are remembered shortly after they have ended, and this many of them are listed. */
const REMEMBERED_AFTER_MS = 5000;
const LISTED = 100;

/** Puts networks of the zoo, with seeded weights, into the library. */
export async function importNetworks(world: SoakWorld, networks: readonly string[]): Promise<void> {
  for (const name of networks) {
    const path = join(world.workFolder, `${name}.onnx`);
    await writeZooModel(zooNetwork(name), path, { seed: 1, weights: 'inline' });
    await world.host().request('models.import', { jobId: `import ${name}`, path, name });
  }
}

interface Network {
  readonly summary: ModelSummary;
  /** The result of a resident run, as JSON. */
  readonly reference: string;
}

/** Streamed runs of several networks, each under another budget than the one before, so that each reads its weights. */
export async function layeringLane(world: SoakWorld, names: readonly string[]): Promise<Lane> {
  const summaries = await world.host().request('models.list', {});
  const networks: Network[] = [];
  for (const summary of summaries.filter(({ name }) => names.includes(name))) {
    const record = await run(world.host(), { ...requestOf(summary.name), mode: 'resident' });
    networks.push({ summary, reference: JSON.stringify(record.result) });
  }
  const ended: { readonly id: string; readonly atMs: number }[] = [];
  let turn = 0;
  return {
    system: 'layering',
    name: 'streamed runs',
    pauseMs: 50,
    work: async () => {
      const { summary, reference } = networks[turn % networks.length]!;
      const mode = MODES[turn % MODES.length]!;
      turn += 1;
      const { minimumBytes, weightBytes, name } = summary;
      const room = Math.max(0, weightBytes - minimumBytes);
      const budgetBytes = Math.ceil(minimumBytes * 1.05 + room * world.random());
      const record = await run(world.host(), { ...requestOf(name), mode, budgetBytes });
      ended.push({ id: record.id, atMs: world.nowMs() });
      if (ended.length > LISTED) ended.shift();
      return JSON.stringify(record.result) === reference ? 'right' : 'wrong';
    },
    check: async () => {
      const listed = new Set((await world.host().request('runs.list', {})).map(({ id }) => id));
      const due = ended.filter(({ atMs }) =>
        world.engineKillsMs.every((killMs) => killMs < atMs || killMs - atMs > REMEMBERED_AFTER_MS),
      );
      const lostRuns = due.filter(({ id }) => !listed.has(id)).map(({ id }) => `run ${id}`);
      const lostModels = await brokenNetworks(world, networks);
      return { acknowledged: due.length + networks.length, lost: [...lostRuns, ...lostModels] };
    },
  };
}

function requestOf(model: string): RunRequest {
  return { model, input: { kind: 'random', seed: 7 }, mode: 'async', repeat: 'once' };
}

/** Runs once. @throws SluiceError what it failed with. */
async function run(link: HostLink, request: RunRequest): Promise<Events['run']> {
  // The end may come in the same packet as the reply, before anybody can ask for this run's.
  const early = new Map<string, Events['run']>();
  let runId: string | undefined;
  const ended = link.event('run', (record) => {
    if (record.state === 'running') return false;
    early.set(record.id, record);
    return record.id === runId;
  });
  try {
    ({ runId } = await link.request('runs.start', request));
    const record = early.get(runId) ?? (await ended.came);
    if (record.state === 'done') return record;
    throw record.error ? SluiceError.fromWire(record.error) : new SluiceError('cancelled', 'It was stopped.');
  } finally {
    ended.forget();
  }
}

async function brokenNetworks({ host }: SoakWorld, networks: readonly Network[]): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { summary } of networks) {
    const { name } = summary;
    const report = await host().request('models.verify', { jobId: `verify ${name}`, name });
    for (const { layer, problem } of report.faults) faults.push(`model ${name}, ${layer}: ${problem}`);
  }
  return faults;
}
