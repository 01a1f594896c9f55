import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { median } from '../../base';
import { SluiceError } from '../../contract';
import type { StoreProfile } from '../../layering';
import { createMemoryCgroup, dropPageCache, type MemoryCgroup } from './memory-cgroup';
import type { SideMeasurement } from './rows';
import { SideClient } from './side-client';
import type { BurstResult, DiskMeasurement, OpenedSide, SideKind, SideRequest } from './side-protocol';

export interface NetworkFiles {
  readonly id: string;
  readonly storePath: string;
  readonly sourcePath: string;
  /** Optimised graph with external, memory-mappable weights. */
  readonly mappedPath: string;
  readonly weightBytes: number;
  readonly leastBytes: number;
}

export interface NetworkBenchOptions {
  readonly rounds: number;
  readonly threads: number;
  readonly scratchDir: string;
  readonly log: (message: string) => void;
}

export interface NetworkMeasurements {
  /** Medians over the rounds. */
  readonly disk: DiskMeasurement;
  /** Of a profiling run whose rounds took turns with those of the sides. */
  readonly profile: StoreProfile;
  readonly sides: readonly SideMeasurement[];
}

/** The share of all weights at which the paper reports a delay under 1 ms. */
const PAPER_SHARE = 0.116;
/** A burst of one side lasts about this long. */
const BURST_MS = 1200;
const MAX_RUNS_PER_BURST = 6;
/** Reads that go on after a burst (the ring fills for the next inference) end within this. */
const SETTLE_MS = 80;
/** Room for a limited process's own code pages and for its heap to breathe: at least this, or a share of its memory. */
const CGROUP_SLACK_BYTES = 16 << 20;
const CGROUP_SLACK_SHARE = 0.25;
/** What a limit is never lowered below: at least this, or a share of the memory no file backs, which breathes. */
const CGROUP_LEAST_SLACK_BYTES = 8 << 20;
const CGROUP_LEAST_SLACK_SHARE = 0.1;
const MAX_TIGHTENINGS = 6;

interface Lane {
  readonly side: string;
  readonly request: SideRequest;
  readonly client: SideClient;
  readonly opened: OpenedSide;
  readonly bursts: BurstResult[];
  readonly cgroupLimitBytes?: number;
  runs: number;
}

/** Measures all sides of one network, a burst of each in turn, round after round. */
export async function benchNetwork(
  files: NetworkFiles,
  options: NetworkBenchOptions,
): Promise<NetworkMeasurements> {
  const bench = new NetworkBench(files, options);
  try {
    return await measureAll(bench, files);
  } finally {
    await bench.end();
  }
}

async function measureAll(bench: NetworkBench, files: NetworkFiles): Promise<NetworkMeasurements> {
  const plain = await bench.measure([
    bench.side('ort', 'ort', files.sourcePath),
    bench.side('resident', 'resident'),
    bench.side('async@least', 'async', '', files.leastBytes),
    bench.side('async@11.6%', 'async', '', files.weightBytes * PAPER_SHARE),
    bench.side('sync@11.6%', 'sync', '', files.weightBytes * PAPER_SHARE),
    bench.side('sequential@11.6%', 'sequential', '', files.weightBytes * PAPER_SHARE),
    bench.side('ort-mmap', 'ort-mmap', files.mappedPath),
  ]);
  const limited = await bench.measureLimited(plain);
  return { disk: bench.disk(), profile: await bench.profile(), sides: [...plain, ...limited] };
}

interface SidePlan {
  readonly side: string;
  readonly request: SideRequest;
  readonly limitBytes?: number;
}

class NetworkBench {
  private readonly diskSamples: DiskMeasurement[] = [];
  private readonly profiler: SideClient;
  private wholeOutputs: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly files: NetworkFiles,
    private readonly options: NetworkBenchOptions,
  ) {
    const { request } = this.side('profile', 'resident');
    this.profiler = SideClient.start(request, join(options.scratchDir, 'profile.out'));
  }

  disk(): DiskMeasurement {
    return {
      readBytesPerSec: median(this.diskSamples.map((sample) => sample.readBytesPerSec)),
      cpuMsPerGB: median(this.diskSamples.map((sample) => sample.cpuMsPerGB)),
    };
  }

  profile(): Promise<StoreProfile> {
    return this.profiler.profile();
  }

  end(): Promise<void> {
    return this.profiler.end();
  }

  side(side: string, kind: SideKind, modelPath = '', budgetBytes?: number): SidePlan {
    const { storePath, leastBytes } = this.files;
    const budget =
      budgetBytes === undefined ? {} : { budgetBytes: Math.ceil(Math.max(budgetBytes, leastBytes)) };
    return { side, request: { kind, storePath, modelPath, threads: this.options.threads, ...budget } };
  }

  async measure(plans: readonly SidePlan[]): Promise<SideMeasurement[]> {
    const lanes: Lane[] = [];
    const failed: SideMeasurement[] = [];
    const cgroups: MemoryCgroup[] = [];
    try {
      for (const plan of plans) {
        try {
          lanes.push(await this.open(plan, cgroups));
        } catch (error) {
          failed.push(failedSide(plan, error));
        }
      }
      for (let round = 0; round < this.options.rounds; round += 1) await this.round(lanes, failed, plans);
      const measured: SideMeasurement[] = [];
      const profile = await this.profile();
      for (const lane of lanes) measured.push(await this.summarise(lane, profile));
      return [...measured, ...failed];
    } finally {
      for (const lane of lanes) await lane.client.end();
      for (const cgroup of cgroups) cgroup.remove();
    }
  }

  /** Streaming and memory mapping with the same parameter memory, enforced by the kernel. */
  async measureLimited(plain: readonly SideMeasurement[]): Promise<SideMeasurement[]> {
    const budget = this.files.weightBytes * PAPER_SHARE;
    const anonOf = (side: string): number =>
      plain.find((item) => item.side === side)?.anonBytes ?? Number.NaN;
    const streamed = {
      ...this.side('async@11.6%+cgroup', 'async', '', budget),
      limitBytes: withSlack(anonOf('async@11.6%')),
    };
    const mapped = {
      ...this.side('ort-mmap+cgroup', 'ort-mmap', this.files.mappedPath),
      limitBytes: withSlack(anonOf('ort-mmap')) + budget,
    };
    const probe = createMemoryCgroup(`sluice-probe-${process.pid}`, (reason) => {
      this.options.log(`no memory cgroup here: ${reason}; its rows are left out`);
    });
    if (!probe) return [];
    probe.remove();
    // Pages cached by earlier sides would be charged to nobody.
    if (!dropPageCache())
      this.options.log('the page cache could not be dropped: mapped pages may be free of charge');
    return this.measure([streamed, mapped].filter((plan) => !Number.isNaN(plan.limitBytes)));
  }

  private async open(plan: SidePlan, cgroups: MemoryCgroup[]): Promise<Lane> {
    const outputs = join(this.options.scratchDir, `${plan.side.replace(/[^a-z0-9]+/gi, '-')}.out`);
    const cgroup = plan.limitBytes === undefined ? undefined : this.limitedGroup(plan, cgroups);
    const client = SideClient.start(plan.request, outputs, cgroup);
    try {
      const opened = await client.open();
      if (cgroup && plan.request.kind === 'ort-mmap') await this.tighten(plan, client, cgroup);
      const first = await client.burst(1, 1);
      const runMs = median(first.timesMs);
      const runs = Math.max(1, Math.min(MAX_RUNS_PER_BURST, Math.round(BURST_MS / runMs)));
      if (plan.side === 'ort') this.wholeOutputs = client.outputs();
      const limit = cgroup === undefined ? {} : { cgroupLimitBytes: cgroup.limitBytes() };
      return { side: plan.side, request: plan.request, client, opened, bursts: [], runs, ...limit };
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  /** Lowers the limit until no more weights stay mapped than the budget: a small network could live in the slack. */
  private async tighten(plan: SidePlan, client: SideClient, cgroup: MemoryCgroup): Promise<void> {
    const budgetBytes = this.files.weightBytes * PAPER_SHARE;
    for (let turn = 0; turn < MAX_TIGHTENINGS; turn += 1) {
      const { mappedBytes, anonBytes } = await client.burst(0, 1);
      const excessBytes = mappedBytes - budgetBytes;
      const slackBytes = Math.max(CGROUP_LEAST_SLACK_BYTES, CGROUP_LEAST_SLACK_SHARE * anonBytes);
      const leastBytes = anonBytes + budgetBytes + slackBytes;
      const limitBytes = Math.max(leastBytes, cgroup.limitBytes() - excessBytes);
      if (excessBytes < 0.1 * budgetBytes || limitBytes >= cgroup.limitBytes()) return;
      this.options.log(`${plan.side}: ${Math.round(mappedBytes / 1e6)} MB mapped, limit lowered`);
      cgroup.setLimit(limitBytes);
    }
  }

  private limitedGroup(plan: SidePlan, cgroups: MemoryCgroup[]): MemoryCgroup {
    const name = `sluice-bench-${process.pid}-${cgroups.length}`;
    const cgroup = createMemoryCgroup(name, (reason) => this.options.log(reason));
    if (!cgroup) throw new SluiceError('unsupported', 'No memory cgroup could be made.');
    cgroups.push(cgroup);
    cgroup.setLimit(plan.limitBytes ?? 0);
    return cgroup;
  }

  private async round(lanes: Lane[], failed: SideMeasurement[], plans: readonly SidePlan[]): Promise<void> {
    for (const lane of [...lanes]) {
      try {
        lane.bursts.push(await lane.client.burst(1, lane.runs));
        await sleep(SETTLE_MS);
        if (lane.side === 'resident') {
          this.diskSamples.push(await lane.client.measureDisk());
          await this.profiler.profileRound();
        }
      } catch (error) {
        lanes.splice(lanes.indexOf(lane), 1);
        const plan = plans.find((item) => item.side === lane.side);
        if (plan) failed.push(failedSide(plan, error));
        await lane.client.end();
      }
    }
  }

  private async summarise(lane: Lane, profile: StoreProfile): Promise<SideMeasurement> {
    const last = lane.bursts.at(-1);
    const { closeToWhole, maxRelativeError } = compareOutputs(lane.client.outputs(), this.wholeOutputs);
    return {
      side: lane.side,
      kind: lane.request.kind,
      budgetBytes: lane.request.budgetBytes ?? lane.opened.parameterMemoryBytes,
      ...lane.opened,
      predictedBeforeMs: lane.opened.predictedMs,
      predictedMs: await lane.client.predict(profile),
      timesMs: lane.bursts.flatMap((burst) => burst.timesMs),
      stallsMs: lane.bursts.flatMap((burst) => burst.stallsMs),
      outputHash: last?.outputHash ?? '',
      closeToWhole,
      maxRelativeError,
      anonBytes: last?.anonBytes ?? 0,
      peakBytes: last?.peakBytes ?? 0,
      ...(lane.cgroupLimitBytes === undefined ? {} : { cgroupLimitBytes: lane.cgroupLimitBytes }),
    };
  }
}

function withSlack(bytes: number): number {
  return bytes + Math.max(CGROUP_SLACK_BYTES, CGROUP_SLACK_SHARE * bytes);
}

function failedSide(plan: SidePlan, error: unknown): SideMeasurement {
  const { message } = SluiceError.from(error);
  return {
    side: plan.side,
    kind: plan.request.kind,
    budgetBytes: plan.request.budgetBytes ?? 0,
    parameterMemoryBytes: 0,
    streamedBytes: 0,
    predictedMs: 0,
    predictedBeforeMs: 0,
    segments: 0,
    timesMs: [],
    stallsMs: [],
    outputHash: '',
    closeToWhole: false,
    maxRelativeError: 0,
    anonBytes: 0,
    peakBytes: 0,
    ...(plan.limitBytes === undefined ? {} : { cgroupLimitBytes: Math.ceil(plan.limitBytes) }),
    error: message,
  };
}

const RELATIVE_TOLERANCE = 1e-3;

/** float32 outputs against the reference: rtol 1e-3, and 1e-5 of the largest value for those near zero. */
function compareOutputs(
  found: Uint8Array,
  reference: Uint8Array,
): { closeToWhole: boolean; maxRelativeError: number } {
  if (found.byteLength !== reference.byteLength || found.byteLength === 0) {
    return { closeToWhole: false, maxRelativeError: Number.POSITIVE_INFINITY };
  }
  const a = new Float32Array(Uint8Array.from(found).buffer);
  const b = new Float32Array(Uint8Array.from(reference).buffer);
  let largest = 0;
  for (const value of b) largest = Math.max(largest, Math.abs(value));
  let worstError = 0;
  let isClose = true;
  a.forEach((value, index) => {
    const expected = b[index] ?? 0;
    const difference = Math.abs(value - expected);
    worstError = Math.max(worstError, difference / largest);
    isClose &&= difference <= RELATIVE_TOLERANCE * Math.abs(expected) + RELATIVE_TOLERANCE * 0.01 * largest;
  });
  return { closeToWhole: isClose, maxRelativeError: worstError };
}
