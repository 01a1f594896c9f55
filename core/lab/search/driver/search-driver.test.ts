import { setImmediate as turn } from 'node:timers/promises';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../../contract';
import { LabDatabase } from '../../store/lab-database';
import { CURVE_SPACE, CurveTrainings, steadyCurves } from '../test-support/learning-curves';
import { SimulatedRunner } from '../test-support/simulated-runner';
import { SearchDriver, type SearchDriverOptions, type SearchStatus } from './search-driver';
import { SEARCH_SCHEMA, SearchStore, type SearchEvent } from './search-store';

const base = {
  space: CURVE_SPACE,
  metric: { name: 'm', direction: 'max' },
  maxResource: 9,
  budget: 60,
  parallel: 3,
  maxFailures: 20,
};
/** Of a unit of training: most searches see one. */
const FAILURE_CHANCE = 0.04;
const ALGORITHMS = [
  { name: 'random' },
  { name: 'hyperband' },
  { name: 'asha' },
  { name: 'pbt', population: 3, interval: 2, stopPool: 1 },
  { name: 'pbt', population: 5, interval: 1, stopPool: 2 },
];

interface Lab {
  readonly database: LabDatabase;
  readonly store: SearchStore;
  readonly runner: SimulatedRunner;
  readonly faults: string[];
  readonly options: SearchDriverOptions;
}

function makeLab(failureChance = 0): Lab {
  const database = LabDatabase.open(':memory:', [SEARCH_SCHEMA]);
  const store = new SearchStore(database);
  const runner = new SimulatedRunner(new CurveTrainings(steadyCurves, 1), failureChance);
  const faults: string[] = [];
  const clock = { nowMs: () => 1000, after: () => () => undefined };
  const onFault = (error: SluiceError): unknown => faults.push(error.message);
  return { database, store, runner, faults, options: { store, runner, clock, onFault } };
}

/** The end of the process at the `at`th step that is stored: just before, or right after. */
function dyingAt(store: SearchStore, at: number, when: 'before' | 'after'): SearchStore {
  const append = store.append.bind(store);
  let steps = 0;
  return Object.assign(Object.create(store) as SearchStore, {
    append: (...step: Parameters<SearchStore['append']>) => {
      steps += 1;
      if (steps !== at) {
        append(...step);
        return;
      }
      if (when === 'after') append(...step);
      throw new Error('The process ends here.');
    },
  });
}

const isOver = ({ state }: SearchStatus): boolean =>
  state === 'done' || state === 'failed' || state === 'stopped';

/** Moves the virtual clock until the search is over; another driver takes up what was interrupted. */
async function runOut(lab: Lab, first: SearchDriver): Promise<SearchStatus> {
  let driver = first;
  driver.start();
  for (;;) {
    await turn();
    const status = driver.status();
    if (isOver(status)) return status;
    expect(lab.runner.running().length).toBeLessThanOrEqual(base.parallel);
    if (status.state === 'interrupted') {
      driver = SearchDriver.open('s', lab.options);
      driver.start();
    } else if (!lab.runner.step()) throw new Error('Nothing runs, and the search waits.');
  }
}

interface Run {
  readonly status: SearchStatus;
  readonly events: readonly SearchEvent[];
  readonly starts: readonly string[];
  readonly discards: readonly number[];
}

async function search(
  settings: object,
  failureChance: number,
  death?: { at: number; when: 'before' | 'after' },
): Promise<Run> {
  const lab = makeLab(failureChance);
  const { store, runner } = lab;
  const mortal = death ? dyingAt(store, death.at, death.when) : store;
  const driver = SearchDriver.create('s', { ...base, ...settings }, { ...lab.options, store: mortal });
  const status = await runOut(lab, driver);
  await turn();
  const run = {
    status,
    events: store.events('s'),
    starts: [...runner.starts],
    discards: [...runner.discards].sort(),
  };
  expect(lab.faults).toHaveLength(death && death.at <= run.events.length ? 1 : 0);
  lab.database.close();
  return run;
}

describe('SearchDriver', () => {
  it.each(ALGORITHMS)('takes $name to its end, each trial started once', async (algorithm) => {
    const { status, events, starts, discards } = await search({ algorithm }, 0);
    expect(status.state).toBe('done');
    expect(status.spentResource).toBeLessThanOrEqual(base.budget);
    expect(status.spentResource).toBeGreaterThan(base.budget / 2);
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts).toHaveLength(events.filter(({ kind }) => kind === 'assigned').length);
    expect(discards).toEqual([...status.pools.dead].sort());
    expect(status.best?.best?.metric).toBe(Math.max(...events.map(({ metric }) => metric ?? 0)));
  });

  it.each(ALGORITHMS)(
    'goes on with $name after the end of the process at any step: the same steps, no trial lost or repeated',
    async (algorithm) => {
      const settings = { algorithm, budget: 36 };
      const whole = await search(settings, FAILURE_CHANCE);
      for (let at = 1; at <= whole.events.length; at += 1) {
        const when = at % 2 === 0 ? 'before' : 'after';
        const { events, starts, discards, status } = await search(settings, FAILURE_CHANCE, { at, when });
        expect(events).toEqual(whole.events);
        expect(starts).toEqual(whole.starts);
        expect(discards).toEqual(whole.discards);
        expect(status.trials).toEqual(whole.status.trials);
      }
    },
  );

  it('never lets a search take more than its budget, whatever fails', async () => {
    const settings = fc.record({
      algorithm: fc.constantFrom(...ALGORITHMS),
      seed: fc.nat(100),
      budget: fc.integer({ min: 10, max: 80 }),
      failureChance: fc.constantFrom(0, 0.1),
    });
    await fc.assert(
      fc.asyncProperty(settings, async ({ failureChance, ...own }) => {
        const { status, events } = await search(own, failureChance);
        expect(status.spentResource).toBeLessThanOrEqual(own.budget);
        expect(events.filter(({ kind }) => kind === 'reported')).toHaveLength(status.spentResource);
      }),
      { numRuns: 25 },
    );
  });

  it('gives up when trials fail one after another, and says why', async () => {
    const { status } = await search({ algorithm: 'random', maxFailures: 3 }, 1);
    expect(status.state).toBe('failed');
    expect(status.reason).toBe('3 trials failed one after another. The last one: It said no.');
  });

  it('is interrupted while nothing can be run, and starts the same trial later', async () => {
    const lab = makeLab();
    lab.runner.refusal = new SluiceError('unavailable', 'The cluster is away.');
    const driver = SearchDriver.create('s', { ...base, algorithm: 'random' }, lab.options);
    driver.start();
    expect(await driver.settled()).toMatchObject({ state: 'interrupted', reason: 'The cluster is away.' });
    expect(lab.store.get('s')).toMatchObject({ state: 'interrupted', reason: 'The cluster is away.' });
    const status = await runOut(lab, SearchDriver.open('s', lab.options));
    expect(status.trials.map(({ outcome }) => outcome)).toEqual(status.trials.map(() => undefined));
    expect([...lab.runner.starts].sort()).toEqual(status.trials.map(({ id }) => `s-${id}-1`));
    lab.database.close();
  });

  it('counts a trial that can not be started as failed', async () => {
    const lab = makeLab();
    lab.runner.refusal = new SluiceError('bad-input', 'There is no train.py.');
    const status = await runOut(lab, SearchDriver.create('s', { ...base, algorithm: 'random' }, lab.options));
    expect(status.state).toBe('done');
    expect(status.trials[0]?.outcome).toBe('failed');
    expect(lab.store.events('s')).toContainEqual({
      kind: 'ended',
      trial: 0,
      decision: 'failed',
      reason: 'There is no train.py.',
    });
    lab.database.close();
  });

  it('ends its trials when it is stopped, also those of a process that died while stopping', async () => {
    const lab = makeLab();
    const driver = SearchDriver.create('s', { ...base, algorithm: 'asha' }, lab.options);
    driver.start();
    for (let step = 0; step < 7; step += 1) {
      await turn();
      lab.runner.step();
    }
    lab.store.setState('s', 'stopped');
    driver.close();
    expect(lab.runner.running()).toHaveLength(base.parallel);
    const again = SearchDriver.open('s', lab.options);
    await again.stop();
    expect(lab.runner.running()).toEqual([]);
    expect(again.status().state).toBe('stopped');
    const { stops } = lab.runner;
    const count = stops.length;
    const third = SearchDriver.open('s', lab.options);
    third.start();
    expect(await third.settled()).toMatchObject({ state: 'stopped' });
    expect(stops).toHaveLength(count);
    lab.database.close();
  });

  it('refuses a history that it would not have made', async () => {
    const lab = makeLab();
    await runOut(lab, SearchDriver.create('s', { ...base, algorithm: 'asha' }, lab.options));
    lab.database
      .prepare("UPDATE search_events SET decision = 'pause' WHERE kind = 'reported' AND decision = 'stop'")
      .run();
    expect(() => SearchDriver.open('s', lab.options)).toThrow(
      /can't go on: its step \d+ was reported pause, and this Sluice decides stop/,
    );
    lab.database.close();
  });

  it.each([
    ['s', { algorithm: 'grid' }, /no algorithm is called "grid"/],
    ['../s', {}, /A search is named with letters/],
    ['taken', {}, /There is a search "taken" already/],
  ])('refuses %s with %j', (id, changes, message) => {
    const lab = makeLab();
    SearchDriver.create('taken', { ...base, algorithm: 'random' }, lab.options);
    expect(() => SearchDriver.create(id, { ...base, algorithm: 'random', ...changes }, lab.options)).toThrow(
      message,
    );
    expect(lab.store.list().map((stored) => stored.id)).toEqual(['taken']);
    lab.store.remove('taken');
    expect(lab.store.list()).toEqual([]);
    expect(() => SearchDriver.open('taken', lab.options)).toThrow(/There is no search "taken"/);
    lab.database.close();
  });
});
