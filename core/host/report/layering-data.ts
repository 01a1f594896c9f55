import { SluiceError } from '../../contract';
import type { MemoryDelayCurve, RunRecord, TraceColumns } from '../../contract';
import type { LayeringRun } from '../../report';
import type { Services } from '../services';

type Known = Pick<Services, 'runs' | 'planner'>;

/** Everything kept of a run. What is gone by now (its spans, its model) is left out. @throws SluiceError `not-found`. */
export async function layeringRun(services: Known, run: string): Promise<LayeringRun> {
  const record = findRun(services.runs.list(), run);
  const trace = await kept(() => services.runs.trace(record.id));
  const curve = await kept(() => services.planner.curve(record.model, record.mode));
  return { record, ...(trace && { trace }), ...(curve && { curve }) };
}

/**
 * A run by its id, the beginning of it, or `latest`.
 * @throws SluiceError `not-found`, `bad-input` when several ids begin so.
 */
export function findRun(records: readonly RunRecord[], run: string): RunRecord {
  const ended = records.find(({ state }) => state !== 'running') ?? records[0];
  if (run === 'latest' && ended) return ended;
  const found = records.filter(({ id }) => id === run || (run.length >= 4 && id.startsWith(run)));
  const [first] = found;
  if (first && found.length === 1) return first;
  if (first)
    throw new SluiceError(
      'bad-input',
      `Several runs begin with "${run}": ${found.map(({ id }) => id).join(', ')}.`,
    );
  throw new SluiceError(
    'not-found',
    `There is no run "${run}". "sluice report list" shows those that are remembered.`,
    { run },
  );
}

async function kept<T extends MemoryDelayCurve | TraceColumns>(
  get: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await get();
  } catch (thrown) {
    const { code } = SluiceError.from(thrown);
    if (['not-found', 'stale-store', 'corrupt-store', 'unsupported', 'bad-input'].includes(code))
      return undefined;
    throw thrown;
  }
}
