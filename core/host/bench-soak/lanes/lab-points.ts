import { getJson, postJson } from '../../bench-lab/mlflow-http';
import type { SoakWorld } from '../soak-world';
import type { Kept, Lane } from './lane';

const RUNS = 4;
const KEYS = ['loss', 'accuracy', 'rate'] as const;
const STEPS = 10;
const EPOCH_MS = 1_700_000_000_000;

interface LoggedRun {
  readonly runId: string;
  /** Blocks of steps that the server says it has. */
  readonly blocks: number[];
  next: number;
}

/** @returns its id and where its artifacts are. */
export async function createRun(
  { labUrl }: SoakWorld,
  name: string,
): Promise<{ readonly runId: string; readonly artifacts: string }> {
  const { run } = await postJson<{ run: { info: { run_id: string; artifact_uri: string } } }>(
    labUrl,
    'runs/create',
    { experiment_id: '0', run_name: name, start_time: EPOCH_MS },
  );
  return { runId: run.info.run_id, artifacts: run.info.artifact_uri.replace(/^mlflow-artifacts:\/*/, '') };
}

/** Points of a few runs, logged in blocks as MLflow's clients do. */
export async function pointsLane(world: SoakWorld): Promise<Lane> {
  const runs: LoggedRun[] = [];
  for (let index = 0; index < RUNS; index += 1) {
    const { runId } = await createRun(world, `soak ${index}`);
    runs.push({ runId, blocks: [], next: 0 });
  }
  return {
    system: 'lab',
    name: 'points',
    pauseMs: 100,
    work: async () => {
      const run = runs[Math.floor(world.random() * runs.length)]!;
      const block = run.next;
      // Never sent again: what became of a block without an answer is not known.
      run.next += 1;
      await postJson(world.labUrl, 'runs/log-batch', { run_id: run.runId, metrics: metricsOf(block) });
      run.blocks.push(block);
      return 'right';
    },
    check: async () => {
      const kept: Kept[] = [];
      for (const run of runs) for (const key of KEYS) kept.push(await checkSeries(world, run, key));
      return {
        acknowledged: kept.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
        lost: kept.flatMap(({ lost }) => lost),
      };
    },
  };
}

function metricsOf(block: number): readonly object[] {
  return Array.from({ length: STEPS }, (_, index) => block * STEPS + index).flatMap((step) =>
    KEYS.map((key) => ({ key, value: valueAt(step), step, timestamp: EPOCH_MS + step })),
  );
}

function valueAt(step: number): number {
  return 1 / (step + 1);
}

async function checkSeries({ labUrl }: SoakWorld, { runId, blocks }: LoggedRun, key: string): Promise<Kept> {
  const query = { run_id: runId, metric_key: key };
  const { metrics } = await getJson<{ metrics: readonly { value: number; step: number }[] }>(
    labUrl,
    'metrics/get-history',
    query,
  );
  const values = new Map(metrics.map(({ step, value }) => [step, value]));
  const steps = blocks.flatMap((block) => Array.from({ length: STEPS }, (_, index) => block * STEPS + index));
  const lost = steps.filter((step) => values.get(step) !== valueAt(step));
  return { acknowledged: steps.length, lost: lost.map((step) => `${key} of run ${runId} at step ${step}`) };
}
