import { describe, expect, it, vi } from 'vitest';
import type { DeviceInfo, TelemetryBatch } from '../contract';
import { detectHost } from './detect-host';
import { ManualClock, settle } from './fixture-tree';
import type { Sampler } from './sampler';
import { createTelemetry } from './telemetry';
import type { Telemetry } from './telemetry';

const DEVICE: DeviceInfo = { hostname: 'h', os: 'o', cpu: 'c', cores: 2, memTotalBytes: 1, disk: 'd' };

function cpuOf(sample: Sampler['sample'], everyMs?: number): Sampler {
  const pace = everyMs === undefined ? {} : { everyMs };
  return { name: 'test', series: ['cpuPct'], lookedFor: 'a test', sample, ...pace };
}

function setUp(
  samplers: readonly Sampler[],
  queueCapacity = 4,
): { telemetry: Telemetry; clock: ManualClock; log: string[] } {
  const clock = new ManualClock();
  const log: string[] = [];
  const telemetry = createTelemetry({
    host: () => Promise.resolve({ samplers, missing: [], device: DEVICE }),
    clock,
    queueCapacity,
    log: (message) => log.push(message),
  });
  return { telemetry, clock, log };
}

describe('telemetry', () => {
  it('samples only while somebody listens', async () => {
    const sample = vi.fn(() => Promise.resolve({ cpuPct: 5 }));
    const { telemetry, clock } = setUp([cpuOf(sample)]);
    await clock.advance(250);
    expect(sample).not.toHaveBeenCalled();
    const stop = telemetry.subscribe(() => undefined);
    await settle();
    await clock.advance(250);
    expect(sample).toHaveBeenCalledTimes(2);
    stop();
    expect(clock.running).toBe(false);
    await clock.advance(250);
    expect(sample).toHaveBeenCalledTimes(2);
  });

  it('sends columns, NaN for what nobody measures', async () => {
    const batches: TelemetryBatch[] = [];
    const { telemetry, clock } = setUp([cpuOf(() => Promise.resolve({ cpuPct: 7 }))]);
    telemetry.subscribe((batch) => void batches.push(batch));
    await settle();
    await clock.advance(250);
    expect(batches).toHaveLength(2);
    expect([...(batches[1]?.timeMs ?? [])]).toEqual([1_700_000_000_250]);
    expect([...(batches[1]?.series.cpuPct ?? [])]).toEqual([7]);
    expect([...(batches[1]?.series.gpuPct ?? [])]).toEqual([NaN]);
  });

  it('gathers quick samples until the oldest would be late', async () => {
    const clock = new ManualClock();
    const sizes: number[] = [];
    const host = { samplers: [cpuOf(() => Promise.resolve({ cpuPct: 1 }))], missing: [], device: DEVICE };
    const telemetry = createTelemetry({
      host: () => Promise.resolve(host),
      clock,
      intervalMs: 40,
      batchMs: 100,
    });
    telemetry.subscribe(({ timeMs }) => void sizes.push(timeMs.length));
    await settle();
    for (let tick = 0; tick < 8; tick += 1) await clock.advance(40);
    expect(sizes).toEqual([3, 3, 3]);
  });

  it('keeps samples for a clogged receiver, drops the oldest and counts them', async () => {
    let clogged = true;
    let last: TelemetryBatch | undefined;
    let value = 0;
    const { telemetry, clock } = setUp([cpuOf(() => Promise.resolve({ cpuPct: value++ }))]);
    telemetry.subscribe((batch) => {
      if (clogged) return false;
      last = batch;
      return true;
    });
    await settle();
    for (let tick = 0; tick < 6; tick += 1) await clock.advance(250);
    clogged = false;
    await clock.advance(250);
    expect([...(last?.series.cpuPct ?? [])]).toEqual([4, 5, 6, 7]);
    expect(last?.dropped).toBe(4);
    await clock.advance(250);
    expect([...(last?.series.cpuPct ?? [])]).toEqual([8]);
  });

  it('disables a failing sampler once, with its reason, and tries again after a pause', async () => {
    const sample = vi.fn(() => Promise.reject(new Error('no such file')));
    const { telemetry, clock, log } = setUp([cpuOf(sample)]);
    let last: TelemetryBatch | undefined;
    const stop = telemetry.subscribe((batch) => void (last = batch));
    await settle();
    for (let tick = 0; tick < 5; tick += 1) await clock.advance(250);
    expect(sample).toHaveBeenCalledTimes(1);
    expect(log).toEqual([expect.stringMatching(/"test" stopped.*no such file/)]);
    expect(last?.series.cpuPct[0]).toBeNaN();
    stop();
    telemetry.subscribe(() => undefined);
    await settle();
    expect(sample).toHaveBeenCalledTimes(2);
  });

  it('never waits for a slow sampler, asks it at its own pace and gives it up when stuck', async () => {
    let answer: (() => void) | undefined;
    const sample = vi.fn(
      () => new Promise<{ cpuPct: number }>((done) => (answer = () => done({ cpuPct: 9 }))),
    );
    const { telemetry, clock, log } = setUp([cpuOf(sample, 1000)]);
    const seen: number[] = [];
    telemetry.subscribe((batch) => void seen.push(...batch.series.cpuPct));
    await settle();
    await clock.advance(250);
    answer?.();
    await clock.advance(250);
    await clock.advance(250);
    expect(seen).toEqual([NaN, NaN, 9, 9]);
    expect(sample).toHaveBeenCalledTimes(1);
    await clock.advance(500);
    expect(sample).toHaveBeenCalledTimes(2);
    await clock.advance(11_000);
    expect(log).toEqual([expect.stringMatching(/no answer for 10 s/)]);
    expect(seen.at(-1)).toBeNaN();
  });
});

describe.runIf(process.platform === 'linux')('this machine', () => {
  it('has a name, a processor and, sampled twice, figures in their ranges', async () => {
    const host = await detectHost({ dataDir: process.cwd() });
    expect(host.device.cores).toBeGreaterThan(0);
    expect(host.device.hostname).not.toBe('');
    const quick = host.samplers.filter((sampler) => sampler.everyMs === undefined);
    for (const sampler of quick) await sampler.sample();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const figures = Object.assign(
      {},
      ...(await Promise.all(quick.map((sampler) => sampler.sample()))),
    ) as Record<string, number>;
    expect(figures['memUsedBytes']).toBeLessThan(figures['memTotalBytes'] ?? 0);
    expect(figures['engineRssBytes']).toBeGreaterThan(1e6);
    expect(figures['cpuPct']).toBeGreaterThanOrEqual(0);
  });
});
