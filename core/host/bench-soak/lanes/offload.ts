import { datatypeOf, OipClient } from '../../../serving';
import type { OipTensor } from '../../../serving';
import { SluiceError } from '../../../contract';
import { makeRandomInputs } from '../../../vision';
import { toHostTensors } from '../../tensor-bytes';
import type { SoakWorld } from '../soak-world';
import type { Lane } from './lane';

const DEADLINE_MS = 20_000;
/** A decision is on disk shortly after it was told. */
const REMEMBERED_AFTER_MS = 5000;
const KEPT_DECISIONS = 500;
const PAGE = 100;

/** Inferences at the endpoint, by HTTP, compared byte by byte. */
export async function servingLane(world: SoakWorld, model: string): Promise<Lane> {
  const client = new OipClient({ url: world.endpointUrl, breaker: { failures: 5, openMs: 500 } });
  const inputs = await inputsOf(world, model);
  const infer = async (): Promise<readonly OipTensor[]> =>
    (await client.infer({ model, inputs }, { deadlineMs: DEADLINE_MS })).outputs;
  const reference = (await infer()).map(({ name, bytes }) => ({ name, bytes: Uint8Array.from(bytes) }));
  return {
    system: 'offload',
    name: 'inferences at an endpoint',
    pauseMs: 50,
    work: async () => {
      const found = await infer();
      const isRight = reference.every(({ name, bytes }) => {
        const output = found.find((one) => one.name === name);
        return output !== undefined && Buffer.compare(output.bytes, bytes) === 0;
      });
      return isRight ? 'right' : 'wrong';
    },
    check: async () => {
      await client.close();
      return { acknowledged: 0, lost: [] };
    },
  };
}

async function inputsOf(world: SoakWorld, model: string): Promise<readonly OipTensor[]> {
  const models = await world.host().request('models.list', {});
  const { inputs } = models.find(({ name }) => name === model)!;
  return [...toHostTensors(makeRandomInputs(inputs, 7))].map(([name, { dtype, dims, bytes }]) => {
    const datatype = datatypeOf(dtype);
    if (datatype) return { name, datatype, shape: dims, bytes };
    throw new SluiceError('unsupported', `${model}: input "${name}" is ${dtype}, which servers do not take.`);
  });
}

/** A deployment of two users that decides between this machine and the endpoint. */
export async function decisionLane(world: SoakWorld, model: string): Promise<Lane> {
  const link = world.host();
  const endpoint = await link.request('endpoints.add', {
    name: 'soak edge',
    tier: 'edge',
    url: world.endpointUrl,
  });
  await link.request('offload.addVariant', { model, accuracyPct: 90, source: 'made up for a soak' });
  await link.request('offload.configure', { users: 2, periodMs: 100, thresholdPct: 80 });
  await link.request('offload.start', {});
  const decided: { readonly id: number; readonly atMs: number }[] = [];
  return {
    system: 'offload',
    name: 'decisions',
    pauseMs: 200,
    work: async () => {
      const host = world.host();
      const { state } = await host.request('offload.state', {});
      // An engine that comes back leaves it to a person to start a deployment again.
      if (state !== 'running') await host.request('offload.start', {});
      const last = decided.at(-1)?.id ?? 0;
      const told = host.event('decisions', (records) =>
        records.some(({ id, meanResponseMs }) => id > last && meanResponseMs !== undefined),
      );
      const records = await told.came;
      const atMs = world.nowMs();
      for (const { id, meanResponseMs } of records) {
        if (id > last && meanResponseMs !== undefined) decided.push({ id, atMs });
      }
      decided.splice(0, decided.length - KEPT_DECISIONS);
      return 'right';
    },
    check: async () => {
      await world.host().request('offload.stop', {});
      const due = decided.filter(({ atMs }) =>
        world.engineKillsMs.every((killMs) => killMs < atMs || killMs - atMs > REMEMBERED_AFTER_MS),
      );
      const found = await decisionsFrom(world, due[0]?.id ?? 0);
      const lost = due.filter(({ id }) => !found.has(id)).map(({ id }) => `decision ${id}`);
      const endpoints = await world.host().request('endpoints.list', {});
      if (!endpoints.some(({ id }) => id === endpoint.id)) lost.push('the endpoint that was added');
      const { variants } = await world.host().request('offload.state', {});
      if (!variants.some((variant) => variant.model === model)) lost.push('the variant that was added');
      return { acknowledged: due.length + 2, lost };
    },
  };
}

/** Ids of the decisions that the engine remembers, back to one. */
async function decisionsFrom({ host }: SoakWorld, firstId: number): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (let beforeId = Number.MAX_SAFE_INTEGER; ;) {
    const page = await host().request('offload.decisions', { beforeId, limit: PAGE });
    for (const { id } of page) found.add(id);
    beforeId = page.at(-1)?.id ?? 0;
    if (page.length < PAGE || beforeId <= firstId) return found;
  }
}
