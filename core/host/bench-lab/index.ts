import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../base';
import { SluiceError } from '../../contract';
import type { Bar } from '../bench/bar';
import { benchMachine, type BenchMachine } from '../bench/machine';
import { RunFolder } from '../bench/run-folder';
import { judge, type LabFigures } from './bars';
import { startIdleNode, startLabServer, type StartedServer } from './measured-server';
import { startMlflowServer } from './mlflow-server';
import { benchReads } from './read-times';
import { benchLoad, type LoadRow } from './write-load';

export interface LabBenchOptions {
  /** With `scripts/`, which gets MLflow. */
  readonly appRoot: string;
  /** Processes that log at once. Default 8. */
  readonly writers?: number;
  /** Of each stretch of writing. Default 10 s. */
  readonly loadMs?: number;
  readonly warmUpMs?: number;
  /** Stretches of each side, in turn. Default 3. */
  readonly rounds?: number;
  /** That are searched. Default 10,000. */
  readonly runs?: number;
  /** Of the series that is sampled. Default a million. */
  readonly seriesPoints?: number;
  /** Counted searches and samplings. Default 20. */
  readonly repeats?: number;
  /** How long the idle server is left alone before it is looked at. */
  readonly idleMs?: number;
  /** A tenth of all that was not given, for a look. */
  readonly quick?: boolean;
  /** Beside `mlflow server`. Default true. */
  readonly peer?: boolean;
  readonly workDir?: string;
  readonly log?: (message: string) => void;
}

type Sizes = Required<
  Pick<
    LabBenchOptions,
    'writers' | 'loadMs' | 'warmUpMs' | 'rounds' | 'runs' | 'seriesPoints' | 'repeats' | 'idleMs'
  >
>;

export interface LabBenchReport extends LabFigures {
  readonly environment: BenchMachine & Sizes & { readonly elapsedSec: number };
  readonly rows: readonly LoadRow[];
  /** Why nothing was compared with MLflow's server. */
  readonly peerMissing?: string;
  readonly bars: readonly Bar[];
}

const FULL: Sizes = {
  writers: 8,
  loadMs: 10_000,
  warmUpMs: 2000,
  rounds: 3,
  runs: 10_000,
  seriesPoints: 1_000_000,
  repeats: 20,
  idleMs: 5000,
};
const QUICK: Sizes = {
  ...FULL,
  loadMs: 1000,
  warmUpMs: 500,
  rounds: 1,
  runs: 1000,
  seriesPoints: 100_000,
  idleMs: 1000,
};

/**
 * Measures the lab's server as its users meet it, in a process of its own: what it takes from writers and keeps when it is
 * killed, how fast it searches and samples, and what it needs when nothing happens; beside MLflow's server.
 * @throws SluiceError `runtime`, `io`.
 */
export async function benchLab(options: LabBenchOptions): Promise<LabBenchReport> {
  const machine = benchMachine();
  const startedMs = performance.now();
  const { log = () => undefined, appRoot, peer = true } = options;
  const sizes = sizesOf(options);
  const folder = await RunFolder.make(options.workDir ?? tmpdir(), 'sluice-bench-lab-runs');
  let mlflow: StartedServer | undefined;
  let peerMissing: string | undefined;
  try {
    const idleBytesBeyondNode = await measureIdle(join(folder.path, 'idle'), sizes.idleMs);
    const reads = await benchReads(join(folder.path, 'reads'), { ...sizes, log });
    if (peer) {
      log('starting mlflow server');
      const peerFolder = join(folder.path, 'mlflow');
      await mkdir(peerFolder);
      try {
        mlflow = await startMlflowServer(appRoot, peerFolder);
      } catch (error) {
        peerMissing = SluiceError.from(error).message;
        log(`No comparison with MLflow: ${peerMissing}`);
      }
    }
    const { rows, ...load } = await benchLoad(join(folder.path, 'load'), mlflow, { ...sizes, log });
    const figures: LabFigures = { ...load, ...reads, idleBytesBeyondNode };
    const elapsedSec = Math.round((performance.now() - startedMs) / 1000);
    return {
      environment: { ...machine, ...sizes, elapsedSec },
      ...figures,
      rows,
      ...(peerMissing !== undefined && { peerMissing }),
      bars: judge(figures, rows),
    };
  } finally {
    await mlflow?.process.end();
    await folder.remove();
  }
}

function sizesOf(options: LabBenchOptions): Sizes {
  const base = options.quick ? QUICK : FULL;
  const given = Object.keys(FULL).map((name) => [
    name,
    options[name as keyof Sizes] ?? base[name as keyof Sizes],
  ]);
  return Object.fromEntries(given) as Sizes;
}

async function measureIdle(folder: string, idleMs: number): Promise<number> {
  const node = startIdleNode();
  const server = await startLabServer(folder);
  try {
    await new Promise<void>((resolve) => systemClock.after(idleMs, resolve));
    return server.process.rssBytes() - node.rssBytes();
  } finally {
    await node.end();
    await server.process.end();
  }
}
