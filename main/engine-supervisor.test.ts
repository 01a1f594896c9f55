import { describe, expect, it } from 'vitest';

import { lastWordLine } from '../core/contract';
import type { EngineStatus } from '../core/contract';
import { createEngineSupervisor } from './engine-supervisor';
import type { EngineChildEvents, EngineSupervisor } from './engine-supervisor';
import type { KeptTokens } from './secret-keeper';

interface Bench {
  readonly supervisor: EngineSupervisor<string>;
  readonly statuses: EngineStatus[];
  readonly delays: number[];
  readonly connected: string[];
  /** What engines were told, in its order. */
  readonly told: (KeptTokens | string)[];
  readonly spawn: () => void;
  readonly die: (log?: string, report?: string) => void;
  readonly kill: (log: string) => void;
  readonly refuse: (reason: string) => void;
  /** Runs the pending restart. */
  readonly fire: () => void;
  readonly pass: (ms: number) => void;
  readonly forks: () => number;
  readonly kills: () => number;
}

function bench(): Bench {
  let nowMs = 0;
  let events: EngineChildEvents | undefined;
  let pending: (() => void) | undefined;
  let forks = 0;
  let kills = 0;
  const statuses: EngineStatus[] = [];
  const delays: number[] = [];
  const connected: string[] = [];
  const told: (KeptTokens | string)[] = [];
  const supervisor = createEngineSupervisor<string>({
    fork: (given) => {
      forks += 1;
      events = given;
      return {
        giveTokens: (kept) => told.push(kept),
        connect: (port) => {
          connected.push(port);
          told.push(port);
        },
        kill: () => (kills += 1),
      };
    },
    keptTokens: () => ({ tokens: { edge: `token-${forks}` }, missing: [] }),
    onStatus: (status) => statuses.push(status),
    schedule: (run, delayMs) => {
      delays.push(delayMs);
      pending = run;
      return () => {
        pending = undefined;
      };
    },
    nowMs: () => nowMs,
  });
  return {
    supervisor,
    statuses,
    delays,
    connected,
    told,
    spawn: () => events?.onSpawn(),
    die: (log = '', report?: string) => events?.onExit({ code: 1, log }, report),
    kill: (log) => events?.onExit({ code: 9, signal: 'SIGKILL', log }),
    refuse: (reason) => events?.onExit({ code: 78, log: lastWordLine(reason) }),
    fire: () => {
      const run = pending;
      pending = undefined;
      run?.();
    },
    pass: (ms) => {
      nowMs += ms;
    },
    forks: () => forks,
    kills: () => kills,
  };
}

describe('engine supervisor', () => {
  it('starts, and hands ports over only while the engine runs', () => {
    const b = bench();
    b.supervisor.start();
    expect(b.supervisor.connect('early')).toBe(false);
    b.spawn();
    expect(b.supervisor.connect('port')).toBe(true);
    expect(b.connected).toEqual(['port']);
    expect(b.statuses.map(({ state }) => state)).toEqual(['starting', 'ok']);
  });

  it('gives each engine the kept tokens before anybody connects', () => {
    const b = bench();
    b.supervisor.start();
    b.spawn();
    b.supervisor.connect('first');
    b.die();
    b.fire();
    b.spawn();
    b.supervisor.connect('second');
    const kept = (token: string): KeptTokens => ({ tokens: { edge: token }, missing: [] });
    expect(b.told).toEqual([kept('token-1'), 'first', kept('token-2'), 'second']);
  });

  it('does not take a note for the reason why an engine was killed', () => {
    const b = bench();
    b.supervisor.start();
    b.spawn();
    b.kill('engine: gpu: no GPU that tells its use was found\n');
    expect(b.supervisor.status()).toMatchObject({
      reason: expect.stringMatching(
        /ended by SIGKILL .*without saying why; last lines of its log: /,
      ) as string,
    });
  });

  it('restarts a dead engine with its last word and a growing delay', () => {
    const b = bench();
    b.supervisor.start();
    b.spawn();
    b.die(`first line\n${lastWordLine('libonnxruntime.so: cannot open')}a note\n`);
    expect(b.supervisor.status()).toEqual({
      state: 'restarting',
      reason: 'the engine process ended with code 1: libonnxruntime.so: cannot open',
      restarts: 1,
    });
    expect(b.supervisor.connect('port')).toBe(false);
    for (let i = 0; i < 3; i++) {
      b.fire();
      b.die();
    }
    expect(b.delays).toEqual([250, 500, 1000, 2000]);
  });

  it('does not try again where a newer Sluice wrote the data folder, until asked', () => {
    const b = bench();
    b.supervisor.start();
    b.refuse('store-version.json (the data folder) has version 2');
    expect(b.supervisor.status()).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('has version 2') as string,
    });
    expect(b.delays).toEqual([]);
    b.supervisor.restart();
    expect(b.forks()).toBe(2);
  });

  it('names the report of a crash', () => {
    const b = bench();
    b.supervisor.start();
    b.die(lastWordLine('boom'), '/data/crashes/1.json');
    expect(b.supervisor.status()).toMatchObject({
      reason: 'the engine process ended with code 1: boom (crash report: /data/crashes/1.json)',
    });
  });

  it('gives up after five quick deaths until asked, then counts anew', () => {
    const b = bench();
    b.supervisor.start();
    for (let i = 0; i < 5; i++) {
      b.die();
      b.fire();
    }
    expect(b.supervisor.status().state).toBe('down');
    expect(b.forks()).toBe(5);
    b.supervisor.restart();
    b.spawn();
    expect(b.forks()).toBe(6);
    expect(b.supervisor.status()).toEqual({ state: 'ok' });
    b.die();
    expect(b.supervisor.status().state).toBe('restarting');
  });

  it('forgets deaths that lie more than a minute back', () => {
    const b = bench();
    b.supervisor.start();
    for (let i = 0; i < 12; i++) {
      b.die();
      b.pass(20_000);
      b.fire();
    }
    expect(b.supervisor.status().state).toBe('restarting');
    expect(Math.max(...b.delays)).toBeLessThanOrEqual(1000);
  });

  it('leaves a running engine alone when asked to restart, and does not revive a stopped one', () => {
    const b = bench();
    b.supervisor.start();
    b.spawn();
    b.supervisor.restart();
    expect(b.forks()).toBe(1);
    b.supervisor.stop();
    b.die();
    b.supervisor.restart();
    expect(b.kills()).toBe(1);
    expect(b.forks()).toBe(1);
    expect(b.statuses.at(-1)).toEqual({ state: 'ok' });
  });
});
