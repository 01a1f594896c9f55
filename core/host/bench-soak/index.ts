import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { seededRandom, systemClock } from '../../base';
import { SluiceError } from '../../contract';
import type { Bar } from '../bench/bar';
import { benchMachine, type BenchMachine } from '../bench/machine';
import { RunFolder } from '../bench/run-folder';
import { soakBars } from './bars';
import { FaultRunner, type FaultRow } from './fault-runner';
import { drawFaults, FAULT_KINDS, type FaultKind } from './faults/draw-faults';
import { NO_FAULTS, writeFaultState } from './faults/fault-state';
import { Injector } from './faults/injector';
import { LaneRunner, type LaneRow } from './lane-runner';
import { SOAK_SYSTEMS, type Lane, type SoakSystem } from './lanes/lane';
import { artifactsLane } from './lanes/lab-artifacts';
import { datasetsLane } from './lanes/lab-datasets';
import { pointsLane } from './lanes/lab-points';
import { runsLane } from './lanes/lab-runs';
import { languageLane } from './lanes/language';
import { importNetworks, layeringLane } from './lanes/layering';
import { decisionLane, servingLane } from './lanes/offload';
import { Machines } from './machines';
import { keptMemoryOf } from './processes/kept-memory';
import { ProcessWatch, type ProcessRow } from './processes/process-watch';
import { SoakDisk, unmountLeftDisks } from './soak-disk';

export { FAULT_KINDS } from './faults/draw-faults';
export { SOAK_SYSTEMS } from './lanes/lane';

export interface SoakOptions {
  /** Of the work; getting ready and looking through what is kept come on top. */
  readonly minutes: number;
  /** Of the faults, and of the work. Default 1. */
  readonly seed?: number;
  /** Default: all. */
  readonly only?: readonly SoakSystem[];
  /** Default: all. */
  readonly faults?: readonly FaultKind[];
  /** A GGUF file; without one nothing is generated. */
  readonly languageModel?: string;
  readonly workDir?: string;
  readonly log?: (message: string) => void;
}

export interface SoakReport {
  readonly environment: BenchMachine & {
    readonly minutes: number;
    readonly seed: number;
    readonly elapsedSec: number;
    readonly disk: 'tmpfs' | 'folder';
    readonly languageModel?: string;
  };
  readonly systems: readonly LaneRow[];
  readonly wrongResults: number;
  readonly lost: number;
  readonly unexpectedFailures: number;
  readonly processes: readonly ProcessRow[];
  readonly unexpectedEnds: readonly { readonly name: string; readonly how: string }[];
  /** Processes of the soak that were still there after all was ended. */
  readonly leftBehind: readonly string[];
  readonly faults: readonly FaultRow[];
  /** What was not done, and why. */
  readonly notes: readonly string[];
  readonly bars: readonly Bar[];
}

/** Served by the endpoint too; its weights are never damaged. */
const SERVED = 'tiny-cnn';
const NETWORKS = [SERVED, 'tiny-mlp', 'tiny-transformer'] as const;
const DISK_BYTES = 768 * 2 ** 20;
const ROOT = 'sluice-bench-soak-runs';
/** Connections and caches are what they are when nothing has been asked for so long. */
const REST_MS = 1500;
const MINUTE_MS = 60_000;

/**
 * Works with every system at once, in processes as people start them, while faults come and go: what is wrong, lost,
 * left behind or growing shows afterwards.
 * @throws SluiceError `runtime` when the processes do not come up, `io`.
 */
export async function benchSoak(options: SoakOptions): Promise<SoakReport> {
  const machine = benchMachine();
  const startedMs = performance.now();
  const { workDir = tmpdir(), seed = 1, log = () => undefined } = options;
  unmountLeftDisks(join(workDir, ROOT));
  const folder = await RunFolder.make(workDir, ROOT);
  const disk = SoakDisk.make(join(folder.path, 'disk'), DISK_BYTES);
  try {
    const soak = await Soak.prepare({ ...options, seed, log }, folder.path, disk);
    const figures = await soak.run();
    return {
      environment: {
        ...machine,
        minutes: options.minutes,
        seed,
        elapsedSec: Math.round((performance.now() - startedMs) / 1000),
        disk: disk.isOwn ? 'tmpfs' : 'folder',
        ...(options.languageModel !== undefined && { languageModel: basename(options.languageModel) }),
      },
      ...figures,
      bars: soakBars(figures),
    };
  } finally {
    disk.remove();
    await folder.remove();
  }
}

type Figures = Omit<SoakReport, 'environment' | 'bars'>;
type Given = SoakOptions & { readonly seed: number; readonly log: (message: string) => void };

class Soak {
  private readonly notes: string[] = [];

  private constructor(
    private readonly options: Given,
    private readonly machines: Machines,
    private readonly disk: SoakDisk,
    private readonly stateFile: string,
  ) {}

  static async prepare(options: Given, workFolder: string, disk: SoakDisk): Promise<Soak> {
    const stateFile = join(workFolder, 'faults.json');
    writeFaultState(stateFile, NO_FAULTS);
    const dataDir = join(disk.folder, 'data');
    const labFolder = join(disk.folder, 'lab');
    await mkdir(dataDir);
    const random = seededRandom(options.seed);
    const { folder } = disk;
    const machines = await Machines.make({
      ...{ folder, workFolder, dataDir, labFolder, stateFile, random },
      seed: options.seed,
      served: [SERVED],
    });
    return new Soak(options, machines, disk, stateFile);
  }

  async run(): Promise<Figures> {
    const { machines } = this;
    let leftBehind: readonly string[] | undefined;
    try {
      const lanes = await this.lanes();
      const totalMs = this.options.minutes * MINUTE_MS;
      const watch = new ProcessWatch(machines.all, machines.nowMs, totalMs, (pid) =>
        keptMemoryOf(machines.workFolder, pid),
      );
      const runners = lanes.map((lane) => new LaneRunner(lane));
      const faults = await this.work(runners, watch, totalMs);
      this.options.log('looking for everything that was acknowledged');
      const systems: LaneRow[] = [];
      for (const runner of runners) systems.push(await runner.row());
      await rest();
      watch.noteRest();
      const processes = machines.all.map(({ name }) =>
        watch.row(name, machines.deaths.filter((death) => death.name === name).length),
      );
      leftBehind = await machines.stop();
      const sum = (of: (row: LaneRow) => number): number => systems.reduce((all, row) => all + of(row), 0);
      return {
        systems,
        wrongResults: sum(({ wrongResults }) => wrongResults),
        lost: sum(({ lost }) => lost),
        unexpectedFailures: sum(({ unexpectedFailures }) => unexpectedFailures),
        processes,
        unexpectedEnds: machines.deaths,
        leftBehind,
        faults,
        notes: this.notes,
      };
    } finally {
      if (!leftBehind) await machines.stop();
    }
  }

  private async work(
    runners: readonly LaneRunner[],
    watch: ProcessWatch,
    totalMs: number,
  ): Promise<readonly FaultRow[]> {
    const { log, seed, faults: kinds = FAULT_KINDS } = this.options;
    try {
      await rest();
      watch.noteRest();
      for (const runner of runners) runner.start();
      const faults = new FaultRunner(this.injector(), runners, log);
      await faults.run(drawFaults(kinds, totalMs, seededRandom(seed)), totalMs, kinds.length);
      return faults.rows;
    } finally {
      await Promise.all(runners.map((runner) => runner.stop()));
      watch.stop();
    }
  }

  private injector(): Injector {
    const { machines, disk, stateFile } = this;
    return new Injector({
      stateFile,
      disk,
      dataDir: machines.dataDir,
      networks: this.has('layering') ? NETWORKS.filter((name) => name !== SERVED) : [],
      kill: async (name) => {
        await machines.kill(name);
        return () => machines.start(name);
      },
    });
  }

  /** Starts the processes, and notes what comes out while all is well. */
  private async lanes(): Promise<readonly Lane[]> {
    const { machines } = this;
    const { log, languageModel } = this.options;
    const lanes: Lane[] = [];
    log('starting the engine, the lab and an endpoint');
    await Promise.all([machines.start('engine'), machines.start('lab')]);
    await importNetworks(machines, NETWORKS);
    await machines.start('endpoint');
    if (this.has('layering')) lanes.push(await layeringLane(machines, NETWORKS));
    if (this.has('language') && languageModel !== undefined) {
      lanes.push(await languageLane(machines, languageModel));
    } else if (this.has('language')) {
      this.notes.push('No language model: nothing was generated. Name one with --language-model FILE.gguf.');
    }
    if (this.has('offload')) {
      lanes.push(await servingLane(machines, SERVED), await decisionLane(machines, SERVED));
    }
    if (this.has('lab')) {
      lanes.push(await pointsLane(machines), await artifactsLane(machines));
      lanes.push(await datasetsLane(machines), await runsLane(machines));
    }
    if (lanes.length > 0) return lanes;
    throw new SluiceError('bad-input', `Nothing to do: ${this.notes.join(' ')}`);
  }

  private has(system: SoakSystem): boolean {
    return (this.options.only ?? SOAK_SYSTEMS).includes(system);
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => void systemClock.after(REST_MS, resolve));
}
