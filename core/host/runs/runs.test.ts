import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import type { EngineMessage, MeasuredPoint, RunRequest, RunResult } from '../../contract';
import { EventBus } from '../event-bus';
import { sleepUntil } from '../host-clock';
import { FakeClock, settle } from '../test-support/fake-clock';
import { demandOf, fakePlan } from '../test-support/fake-models';
import { RunHistory } from './run-history';
import type { RunTask } from './run-task';
import { Runs } from './runs';

const RESULT: RunResult = { kind: 'tensors', outputs: [] };
const ONCE: RunRequest = {
  model: 'm',
  input: { kind: 'random', seed: 1 },
  mode: 'async',
  budgetBytes: 100,
  repeat: 'once',
};
const ALWAYS: RunRequest = { ...ONCE, repeat: 'continuous' };

/** Runs whose inferences take what `takesMs` says by the fake clock. */
class Bench {
  readonly clock = new FakeClock();
  readonly bus = new EventBus();
  readonly events: EngineMessage[] = [];
  readonly points: MeasuredPoint[] = [];
  readonly startsMs: number[] = [];
  takesMs: (inference: number) => number = () => 10;
  failAt = Infinity;
  isWarm = false;
  released = 0;
  readonly runs: Runs;
  private readonly t0 = this.clock.nowMs();

  constructor(history?: RunHistory) {
    this.bus.subscribe((message) => this.events.push(message));
    const plan = { detail: fakePlan(100), demands: [demandOf('m', 100)], predictedMs: [5] };
    this.runs = new Runs({
      bus: this.bus,
      clock: this.clock,
      plan: () => plan,
      open: () => Promise.resolve(this.task()),
      recordMeasurement: (_plan, point) => {
        this.points.push(point);
        return Promise.resolve();
      },
      log: () => undefined,
      ...(history && { history }),
    });
  }

  told(name: 'run' | 'result'): EngineMessage[] {
    return this.events.filter((message) => 'event' in message && message.event === name);
  }

  private task(): RunTask {
    return {
      plan: fakePlan(100),
      isWarm: this.isWarm,
      infer: (signal) => this.infer(signal),
      release: () => {
        this.released += 1;
      },
    };
  }

  private async infer(signal: AbortSignal): ReturnType<RunTask['infer']> {
    const inference = this.startsMs.length;
    this.startsMs.push(this.clock.nowMs() - this.t0);
    const totalMs = this.takesMs(inference);
    await sleepUntil(this.clock, this.clock.nowMs() + totalMs, signal);
    if (inference === this.failAt) throw new SluiceError('io', 'read error');
    return {
      totalMs,
      stallMs: 1,
      readBytes: 42,
      result: () => RESULT,
      trace: (runId) => ({ runId }) as never,
    };
  }
}

describe('a run', () => {
  it('once: running, then done with result, figures and trace', async () => {
    const bench = new Bench();
    const id = bench.runs.start(ONCE);
    expect(bench.runs.list()).toMatchObject([
      { id, state: 'running', hasTrace: false, inputName: 'random (seed 1)' },
    ]);
    await bench.clock.advance(10);
    expect(await bench.runs.finished(id)).toMatchObject({
      state: 'done',
      result: RESULT,
      hasTrace: true,
      stats: { inferences: 1, lastMs: 10, lastStallMs: 1, readBytesLast: 42, missedDeadlines: 0 },
    });
    expect(bench.runs.trace(id)).toEqual({ runId: id });
    expect(bench.released).toBe(1);
    expect(bench.points).toEqual([]);
  });

  it('continuous: back to back until stopped, telling at most ten times a second', async () => {
    const bench = new Bench();
    const id = bench.runs.start(ALWAYS);
    await bench.clock.advance(1005);
    expect(bench.startsMs).toHaveLength(101);
    expect(bench.told('run').length).toBeLessThanOrEqual(11);
    expect(bench.told('result').length).toBeGreaterThanOrEqual(9);
    bench.runs.stop(id);
    await settle();
    expect(bench.runs.list()[0]).toMatchObject({
      state: 'cancelled',
      result: RESULT,
      stats: { inferences: 100 },
    });
    expect(bench.points).toMatchObject([{ budgetBytes: 100, mode: 'async', medianMs: 10, runs: 99 }]);
  });

  it('once, repeated on a warm model with the same input, is a measurement; anything else is a warm-up', async () => {
    const bench = new Bench();
    const run = async (change: Partial<RunRequest> = {}): Promise<number> => {
      bench.runs.start({ ...ONCE, ...change });
      await bench.clock.advance(10);
      return bench.points.length;
    };
    expect(await run()).toBe(0);
    expect(await run(), 'it was unloaded meanwhile').toBe(0);
    bench.isWarm = true;
    expect(await run()).toBe(1);
    expect(bench.points[0]).toMatchObject({ medianMs: 10, runs: 1 });
    expect(await run({ input: { kind: 'random', seed: 2 } }), 'another input').toBe(1);
    expect(await run({ mode: 'sync' }), 'another mode').toBe(1);
    bench.failAt = bench.startsMs.length;
    expect(await run({ mode: 'sync' })).toBe(1);
    expect(await run({ mode: 'sync' }), 'after a failure').toBe(1);
  });

  it('a failed one keeps its error and gives the model back', async () => {
    const bench = new Bench();
    bench.failAt = 2;
    const id = bench.runs.start(ALWAYS);
    await bench.clock.advance(100);
    expect(await bench.runs.finished(id)).toMatchObject({
      state: 'failed',
      error: { code: 'io', message: 'read error' },
      stats: { inferences: 2 },
    });
    expect(bench.released).toBe(1);
    bench.runs.stop(id);
    expect(bench.runs.list()[0]?.state).toBe('failed');
  });

  it('stops in the middle of an inference', async () => {
    const bench = new Bench();
    const id = bench.runs.start(ONCE);
    await bench.clock.advance(5);
    bench.runs.stop(id);
    await settle();
    const record = bench.runs.list()[0];
    expect(record).toMatchObject({ state: 'cancelled', hasTrace: false });
    expect(record?.result).toBeUndefined();
  });

  it('only the last runs keep their traces', async () => {
    const bench = new Bench();
    const ids: string[] = [];
    for (let count = 0; count < 22; count += 1) {
      ids.push(bench.runs.start(ONCE));
      await bench.clock.advance(10);
    }
    expect(bench.runs.list().filter(({ hasTrace }) => hasTrace)).toHaveLength(20);
    expect(() => bench.runs.trace(ids[0] ?? '')).toThrow(/latest runs/);
    expect(() => bench.runs.trace('nobody')).toThrow(/no run/);
  });
});

describe('a periodic task', () => {
  it('is released at t0 + k * period, however long the inferences take', async () => {
    const bench = new Bench();
    bench.takesMs = (inference) => 10 + 7 * (inference % 3);
    bench.runs.start({ ...ALWAYS, periodMs: 30 }, { inferences: 6 });
    await bench.clock.advance(1000);
    expect(bench.startsMs).toEqual([0, 30, 60, 90, 120, 150]);
    expect(bench.runs.list()[0]?.stats?.missedDeadlines).toBe(0);
  });

  it('skips the releases that pass, and counts them and the late one', async () => {
    const bench = new Bench();
    bench.takesMs = (inference) => (inference === 1 ? 95 : 10);
    bench.runs.start({ ...ALWAYS, periodMs: 30 }, { inferences: 4 });
    await bench.clock.advance(1000);
    // Released at 30, ended at 125: those of 60, 90 and 120 passed; its own deadline (60) did too.
    expect(bench.startsMs).toEqual([0, 30, 150, 180]);
    expect(bench.runs.list()[0]?.stats?.missedDeadlines).toBe(4);
  });

  it('a deadline shorter than the period counts by itself', async () => {
    const bench = new Bench();
    bench.takesMs = (inference) => (inference % 2 === 0 ? 10 : 25);
    bench.runs.start({ ...ALWAYS, periodMs: 30, deadlineMs: 20 }, { inferences: 4 });
    await bench.clock.advance(1000);
    expect(bench.startsMs).toEqual([0, 30, 60, 90]);
    expect(bench.runs.list()[0]?.stats?.missedDeadlines).toBe(2);
  });

  it('can be stopped while it waits for its release', async () => {
    const bench = new Bench();
    const id = bench.runs.start({ ...ALWAYS, periodMs: 1000 });
    await bench.clock.advance(100);
    bench.runs.stop(id);
    await settle();
    expect(bench.runs.list()[0]).toMatchObject({ state: 'cancelled', stats: { inferences: 1 } });
  });
});

describe('the history', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-runs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const path = (): string => join(folder, 'runs.json');
  /** As a process would that has the mark. */
  const open = (mark?: string, log: string[] = []): RunHistory =>
    new RunHistory(path(), (message) => log.push(message), mark);
  const dead = (): string => `${spawnSync(process.execPath, ['-e', '']).pid}-1`;

  it('brings runs back; what was going on in a process that died comes back as failed', async () => {
    const history = open(dead());
    const bench = new Bench(history);
    bench.runs.start(ONCE);
    await bench.clock.advance(10);
    const lost = bench.runs.start(ALWAYS);
    await bench.clock.advance(5);
    await history.settled();

    const later = new Bench(open()).runs;
    expect(later.list()).toMatchObject([
      { id: lost, state: 'failed', hasTrace: false, error: { code: 'engine-down' } },
      { state: 'done', hasTrace: false, result: RESULT },
    ]);
    expect(() => later.trace(lost)).toThrow(/no trace/);
    later.stop(lost);
    expect(() => later.stop('nobody')).toThrow(/no run/);
  });

  it('leaves a run that goes on in another process to it, and tells of it once it has ended', async () => {
    const history = open(`${process.ppid}`);
    const elsewhere = new Bench(history);
    const id = elsewhere.runs.start(ALWAYS);
    await history.settled();
    const here = new Bench(open());
    expect(here.runs.list()).toEqual([]);
    expect(() => here.runs.stop(id)).toThrow(/no run/);

    await elsewhere.clock.advance(25);
    elsewhere.runs.stop(id);
    await settle();
    await history.settled();
    here.runs.tellOthers();
    here.runs.tellOthers();
    expect(here.told('run')).toMatchObject([{ payload: { id, state: 'cancelled', hasTrace: false } }]);
    expect(here.runs.list()).toMatchObject([{ id, stats: { inferences: 2 } }]);

    // Told of once, however many come and go after it.
    const next = elsewhere.runs.start(ONCE);
    await elsewhere.clock.advance(10);
    await history.settled();
    here.runs.tellOthers();
    here.runs.tellOthers();
    expect(here.told('run').slice(1)).toMatchObject([{ payload: { id: next, state: 'done' } }]);
  });

  it('of two processes that write at once keeps every run', async () => {
    const benches = ['1-1', '1-2', '1-3'].map((mark) => {
      const history = open(mark);
      return { history, bench: new Bench(history) };
    });
    const ids = benches.flatMap(({ bench }) => Array.from({ length: 8 }, () => bench.runs.start(ONCE)));
    for (const { bench } of benches) await bench.clock.advance(10);
    await Promise.all(benches.map(({ history }) => history.settled()));
    const stored = open().others();
    expect(stored.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(stored.every(({ state }) => state === 'done')).toBe(true);
  });

  it('an unusable file is told about, not fatal', () => {
    const log: string[] = [];
    writeFileSync(path(), '{"half":');
    expect(open(undefined, log).others()).toEqual([]);
    expect(log[0]).toContain('not usable');
    expect(readFileSync(path(), 'utf8')).toBe('{"half":');
  });
});
