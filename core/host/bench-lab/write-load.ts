import { median, systemClock } from '../../base';
import { getJson } from './mlflow-http';
import { startLabServer, type StartedServer } from './measured-server';
import { BATCH_STEPS, KEYS } from './writer-protocol';
import { Writers, type WrittenRun } from './writers';

/** One stretch of writing. */
export interface LoadRow {
  readonly side: 'sluice' | 'mlflow';
  readonly round: number;
  readonly pointsPerSec: number;
  /** CPU of the server; absent where nobody tells, and of MLflow, whose workers are processes of their own. */
  readonly serverMicrosPerPoint?: number;
  readonly refusedRequests: number;
}

export interface LoadOptions {
  readonly writers: number;
  readonly warmUpMs: number;
  readonly loadMs: number;
  /** Of each side, in turn. */
  readonly rounds: number;
  readonly log: (message: string) => void;
}

export interface LoadResult {
  readonly rows: readonly LoadRow[];
  readonly pointsPerSec: number;
  /** All that were acknowledged, up to the kill. */
  readonly acknowledgedPoints: number;
  /** Of these, those that are not in the store that was opened again. */
  readonly lostPoints: number;
}

interface Side {
  readonly name: LoadRow['side'];
  readonly server: StartedServer;
  readonly runs: readonly WrittenRun[];
}

/**
 * Writes to a lab's server, and in turn to a peer; then kills the lab's server while all write to it, starts it again and
 * counts.
 * @param folder of the lab. @param peer is left running.
 */
export async function benchLoad(
  folder: string,
  peer: StartedServer | undefined,
  options: LoadOptions,
): Promise<LoadResult> {
  const writers = Writers.start(options.writers);
  const server = await startLabServer(folder);
  try {
    const lab: Side = { name: 'sluice', server, runs: await writers.runsAt(server.url) };
    const sides: readonly Side[] = peer
      ? [lab, { name: 'mlflow', server: peer, runs: await writers.runsAt(peer.url) }]
      : [lab];
    const rows = await writeInTurn(writers, sides, options);
    await killDuringLoad(writers, lab, options);
    const lostPoints = await countLost(folder, lab.runs);
    const own = rows.filter(({ side }) => side === 'sluice');
    return {
      rows,
      pointsPerSec: Math.round(median(own.map(({ pointsPerSec }) => pointsPerSec))),
      acknowledgedPoints: lab.runs.reduce((sum, { batches }) => sum + pointsOf(batches), 0),
      lostPoints,
    };
  } finally {
    await server.process.end();
    await writers.close();
  }
}

async function writeInTurn(
  writers: Writers,
  sides: readonly Side[],
  { warmUpMs, loadMs, rounds, log }: LoadOptions,
): Promise<readonly LoadRow[]> {
  const rows: LoadRow[] = [];
  for (const { server, runs } of sides) await writers.write(server.url, runs, warmUpMs);
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, server, runs } of sides) {
      const beforeMs = server.process.cpuMs();
      const { pointsPerSec, points, refusedRequests } = await writers.write(server.url, runs, loadMs);
      const micros = ((server.process.cpuMs() - beforeMs) * 1000) / points;
      const isTold = name === 'sluice' && Number.isFinite(micros);
      log(`round ${round}, ${name}: ${pointsPerSec} points/s`);
      rows.push({
        side: name,
        round,
        pointsPerSec,
        ...(isTold && { serverMicrosPerPoint: Math.round(micros * 100) / 100 }),
        refusedRequests,
      });
    }
  }
  return rows;
}

async function killDuringLoad(
  writers: Writers,
  { server, runs }: Side,
  { warmUpMs, log }: LoadOptions,
): Promise<void> {
  log('kill -9 while all write');
  const written = writers.write(server.url, runs);
  await new Promise<void>((resolve) => systemClock.after(warmUpMs, resolve));
  await server.process.end();
  await written;
}

async function countLost(folder: string, runs: readonly WrittenRun[]): Promise<number> {
  const server = await startLabServer(folder);
  try {
    let lost = 0;
    for (const run of runs) lost += await lostOf(server, run);
    return lost;
  } finally {
    await server.process.end();
  }
}

/** A batch that was on its way may be there too. */
async function lostOf({ url }: StartedServer, { runId, batches }: WrittenRun): Promise<number> {
  let lost = 0;
  for (const key of KEYS) {
    const { metrics } = await getJson<{ metrics: readonly { step: number | string }[] }>(
      url,
      'metrics/get-history',
      { run_id: runId, metric_key: key },
    );
    const found = new Set(metrics.map(({ step }) => Number(step)));
    for (let step = 0; step < batches * BATCH_STEPS; step += 1) if (!found.has(step)) lost += 1;
  }
  return lost;
}

function pointsOf(batches: number): number {
  return batches * BATCH_STEPS * KEYS.length;
}
