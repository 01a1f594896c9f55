import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import type { RegisteredVariant } from '../../offload/deployment-store';
import { runFault } from './fault-run';
import type { FaultReport } from './fault-run';
import { openLiveMachines } from './live-machines';
import type { LiveMachines, Shaping } from './live-machines';
import type { AloneTime, RoundRecord } from './live-protocol';
import { adaptationRows, liveRows } from './live-rows';
import type { AdaptationRow, Half, LiveRow } from './live-rows';
import { LIVE_SCENARIO, orderOf, requestStream } from './live-scenario';
import type { LiveScenario } from './live-scenario';

export interface LiveBenchOptions {
  /** Holds the library, which stays for the next run. */
  readonly workDir?: string;
  /** Of that library. Default: the example's eight, imported where they are missing. */
  readonly variants?: readonly RegisteredVariant[];
  readonly scenario?: Partial<LiveScenario>;
  readonly signal?: AbortSignal;
  readonly log?: (message: string) => void;
}

export interface LiveReport {
  readonly scenario: LiveScenario;
  readonly shaping: Shaping;
  /** One inference at a time: before the degradation on every tier, after it on the edge. */
  readonly alone: readonly (AloneTime & { readonly half: Half })[];
  readonly rows: readonly LiveRow[];
  readonly adaptation: readonly AdaptationRow[];
  readonly fault: FaultReport;
}

const ALONE_REPEATS = 3;
const FAULT_ROUNDS = 30;
/** What trained strategies were trained as. */
const LEARNER = 'factored';
/** Strategies that are not compared: one whose learned state others take over, and the one whose edge is killed. */
const TRAINING = 'training';
const FAULT = 'fault';

/**
 * Device, edge and cloud as three processes on this machine: the agents against each fixed strategy over the same
 * request stream, with the edge's link degraded half-way; then the edge is killed. Strategies take turns in blocks, each
 * in its own state, so that what else happens on the machine hits all alike.
 * @throws SluiceError when a process can't be started; `cancelled`.
 */
export async function benchLive(options: LiveBenchOptions = {}): Promise<LiveReport> {
  const scenario = { ...LIVE_SCENARIO, ...options.scenario };
  const log = options.log ?? ((): void => undefined);
  const machines = await openLiveMachines({
    scenario,
    workDir: options.workDir ?? join(tmpdir(), 'sluice-bench-live'),
    log,
    ...(options.variants && { variants: options.variants }),
  });
  try {
    return await new LiveRun(scenario, machines, log, options.signal).run();
  } finally {
    await machines.close();
  }
}

class LiveRun {
  private readonly rounds: ReadonlyMap<string, Record<Half, RoundRecord[]>>;

  constructor(
    private readonly scenario: LiveScenario,
    private readonly machines: LiveMachines,
    private readonly log: (message: string) => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.rounds = new Map(scenario.strategies.map(({ id }) => [id, { first: [], second: [] }]));
  }

  async run(): Promise<LiveReport> {
    const { scenario, machines, log } = this;
    const { device, shaping } = machines;
    log('live: timing each tier alone');
    const aloneFirst = await device.timeAlone(ALONE_REPEATS, ['device', 'edge', 'cloud']);
    await this.openStrategies();
    await this.half('first');
    log('live: the link of the edge degrades');
    await machines.setLink('edge', scenario.degradedEdge);
    await this.half('second');
    const aloneSecond = await device.timeAlone(ALONE_REPEATS, ['edge']);
    const all = scenario.strategies.map((strategy) => ({ strategy, ...this.rounds.get(strategy.id)! }));
    return {
      scenario,
      shaping,
      alone: [
        ...aloneFirst.map((time) => ({ ...time, half: 'first' as const })),
        ...aloneSecond.map((time) => ({ ...time, half: 'second' as const })),
      ],
      rows: liveRows(all, scenario.thresholdPct),
      adaptation: adaptationRows(all),
      fault: await this.fault(),
    };
  }

  private async openStrategies(): Promise<void> {
    const { scenario, machines, log } = this;
    log('live: training');
    await this.open(TRAINING, LEARNER);
    await machines.device.rounds(TRAINING, requestStream(scenario, scenario.trainingRounds));
    await this.open(FAULT, LEARNER, TRAINING);
    for (const { id, agent, isTrained } of scenario.strategies) {
      await this.open(id, agent, isTrained ? TRAINING : undefined);
    }
  }

  private open(id: string, agent: string, learnedBy?: string): Promise<void> {
    const { users, thresholdPct, explorationCap, seed } = this.scenario;
    return this.machines.device.open({
      id,
      agent,
      users,
      thresholdPct,
      explorationCap,
      seed,
      ...(learnedBy !== undefined && { learnedBy }),
    });
  }

  private async half(half: Half): Promise<void> {
    const { scenario, machines, log } = this;
    const { strategies, roundsPerHalf, blockRounds } = scenario;
    const stream = requestStream(scenario, 2 * roundsPerHalf);
    const offset = half === 'first' ? 0 : roundsPerHalf;
    for (let start = 0, block = 0; start < roundsPerHalf; start += blockRounds, block += 1) {
      const end = Math.min(roundsPerHalf, start + blockRounds);
      for (const { id } of orderOf(strategies, block)) {
        if (this.signal?.aborted) throw new SluiceError('cancelled', 'The live run was cancelled.');
        const records = await machines.device.rounds(id, stream.slice(offset + start, offset + end));
        this.rounds.get(id)![half].push(...records);
      }
      log(`live: ${half} half, ${end} of ${roundsPerHalf} rounds of each strategy`);
    }
  }

  private async fault(): Promise<FaultReport> {
    const { scenario, machines, log } = this;
    await machines.setLink('edge', scenario.links.edge);
    log('live: killing the edge');
    return runFault(machines, FAULT, requestStream(scenario, FAULT_ROUNDS));
  }
}
