import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SearchSession } from '../search-session';
import { CURVE_SPACE, CurveTrainings, steadyCurves } from '../test-support/learning-curves';
import { simulate } from '../test-support/simulate';
import { ranked, rungsOf, type Scored } from './rungs';

const base = { space: CURVE_SPACE, metric: { name: 'm', direction: 'max' }, maxResource: 27, budget: 600 };
const sessionOf = (algorithm: object, more: object = {}): SearchSession =>
  new SearchSession({ ...base, algorithm, ...more });
const trainingsOf = (seed: number): CurveTrainings => new CurveTrainings(steadyCurves, seed);

describe('rungs', () => {
  it.each([
    [1, 27, 3, [1, 3, 9, 27]],
    [1, 30, 3, [1, 3, 9, 27, 30]],
    [5, 5, 2, [5]],
    [0.5, 3, 2, [0.5, 1, 2, 3]],
  ])('from %d to %d by %d', (min, max, eta, rungs) => {
    expect(rungsOf(min, max, eta)).toEqual(rungs);
  });

  it('rank the best first, and of equals the earlier', () => {
    const entries = [
      { trial: 3, score: 1 },
      { trial: 1, score: 1 },
      { trial: 2, score: 5 },
      { trial: 0, score: -Infinity },
    ];
    expect(ranked(entries).map(({ trial }) => trial)).toEqual([2, 1, 3, 0]);
  });
});

describe('ASHA', () => {
  it('promotes only from the best 1/eta of a rung, each trial once from each', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.constantFrom(2, 3, 4),
        fc.integer({ min: 1, max: 9 }),
        (seed, eta, parallel) => {
          const rungs = rungsOf(1, base.maxResource, eta);
          const scores = rungs.map((): Scored[] => []);
          const promotions = new Set<string>();
          simulate(sessionOf({ name: 'asha', eta }, { seed, parallel }), {
            trainings: trainingsOf(seed),
            seed,
            onReported: (trial, resource, score) => scores[rungs.indexOf(resource)]?.push({ trial, score }),
            onAssigned: ({ trial, startResource, untilResource }) => {
              const level = rungs.indexOf(startResource);
              expect(untilResource).toBe(rungs[level + 1]);
              if (level < 0) return;
              const entries = scores[level] ?? [];
              const top = ranked(entries).slice(0, Math.floor(entries.length / eta));
              expect(top.map((entry) => entry.trial)).toContain(trial.id);
              expect(promotions.has(`${trial.id}@${level}`)).toBe(false);
              promotions.add(`${trial.id}@${level}`);
            },
          });
          expect(promotions.size).toBeGreaterThan(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('waits for nobody: with more workers than trials can be compared it begins new ones', () => {
    const session = sessionOf({ name: 'asha' });
    const begun = Array.from({ length: 50 }, () => session.next());
    expect(begun.filter((next) => typeof next !== 'string')).toHaveLength(50);
  });
});

describe('Hyperband', () => {
  it('has the brackets of algorithm 1 for R = 81 and eta = 3', () => {
    // Trials and resource of each rung, worked out by hand after algorithm 1 of Li et al. 2018.
    const expectedBrackets = [
      [
        [81, 1],
        [27, 3],
        [9, 9],
        [3, 27],
        [1, 81],
      ],
      [
        [34, 3],
        [11, 9],
        [3, 27],
        [1, 81],
      ],
      [
        [15, 9],
        [5, 27],
        [1, 81],
      ],
      [
        [8, 27],
        [2, 81],
      ],
      [[5, 81]],
    ];
    const budget = 5 * 81 * 5;
    const session = sessionOf({ name: 'hyperband' }, { maxResource: 81, budget });
    const begun = new Map<string, number>();
    simulate(session, {
      trainings: trainingsOf(1),
      seed: 1,
      onAssigned: ({ startResource, untilResource }) => {
        const step = `${startResource}-${untilResource}`;
        begun.set(step, (begun.get(step) ?? 0) + 1);
      },
    });
    const expected = new Map<string, number>();
    const add = (step: string, count: number): unknown =>
      expected.set(step, (expected.get(step) ?? 0) + count);
    let cost = 0;
    for (const bracket of expectedBrackets) {
      for (const [level, [count = 0, until = 0]] of bracket.entries()) {
        const start = bracket[level - 1]?.[1] ?? 0;
        cost += count * (until - start);
        add(`${start}-${until}`, count);
      }
    }
    const firstRound = sessionOf({ name: 'hyperband' }, { maxResource: 81, budget: cost });
    simulate(firstRound, { trainings: trainingsOf(1), seed: 1 });
    expect(firstRound.spentResource).toBe(cost);
    // A larger budget begins the round again.
    for (const [step, count] of expected) expect(begun.get(step) ?? 0).toBeGreaterThanOrEqual(count);
    expect(session.spentResource).toBeGreaterThan(cost);
  });

  it('promotes a rung only when all of it has ended, and its best, one in eta', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 9 }), (seed, parallel) => {
        // One bracket: 27 trials, then 9, 3 and 1.
        const reported = new Map<number, Scored[]>();
        const promoted = new Map<number, number[]>();
        const session = sessionOf(
          { name: 'hyperband', eta: 3 },
          { seed, parallel, maxTrials: 27, budget: 108 },
        );
        simulate(session, {
          trainings: trainingsOf(seed),
          seed,
          onReported: (trial, resource, score) =>
            reported.set(resource, [...(reported.get(resource) ?? []), { trial, score }]),
          onAssigned: ({ trial, startResource }) =>
            promoted.set(startResource, [...(promoted.get(startResource) ?? []), trial.id]),
        });
        for (const [resource, width] of [
          [1, 27],
          [3, 9],
          [9, 3],
        ] as const) {
          const entries = (reported.get(resource) ?? []).filter(
            ({ trial }) => width === 27 || promoted.get(resource / 3)?.includes(trial),
          );
          expect(entries).toHaveLength(width);
          const best = ranked(entries)
            .slice(0, width / 3)
            .map(({ trial }) => trial);
          expect(promoted.get(resource)).toEqual(best);
        }
        expect(session.pools()).toMatchObject({ stop: [], finished: [expect.any(Number)] });
        expect(session.pools().dead).toHaveLength(26);
      }),
      { numRuns: 30 },
    );
  });
});

describe('PBT', () => {
  const options = fc.record({
    population: fc.integer({ min: 2, max: 10 }),
    interval: fc.constantFrom(1, 3, 5),
    stopPool: fc.integer({ min: 0, max: 5 }),
  });
  const workers = fc.integer({ min: 1, max: 13 });

  it('keeps its pools: the live one full until members finish, the stop pool never over its size', () => {
    fc.assert(
      fc.property(
        options,
        workers,
        fc.nat(500),
        fc.constantFrom(0, 0.05),
        (own, parallel, seed, failureChance) => {
          const session = sessionOf({ name: 'pbt', ...own }, { seed, parallel, maxFailures: 1000 });
          let stopped = 0;
          const check = (): void => {
            const { live, stop, finished } = session.pools();
            expect(live.length).toBeLessThanOrEqual(own.population);
            expect(stop.length).toBeLessThanOrEqual(own.stopPool);
            stopped = Math.max(stopped, stop.length);
            // One place may be empty: that of whoever has just given up.
            const isFull = finished.length > 0 || session.trials.length < own.population;
            if (!isFull && failureChance === 0)
              expect(live.length).toBeGreaterThanOrEqual(own.population - 1);
          };
          simulate(session, {
            trainings: trainingsOf(seed),
            seed,
            failureChance,
            onReported: check,
            onAssigned: check,
          });
          if (own.stopPool > 0 && own.population > 4 && own.interval === 1)
            expect(stopped).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begins a copy from a checkpoint that was reported at a multiple of the interval, with parameters near it', () => {
    fc.assert(
      fc.property(options, workers, fc.nat(500), (own, parallel, seed) => {
        const session = sessionOf({ name: 'pbt', ...own, resampleProbability: 0 }, { seed, parallel });
        const reports = new Set<string>();
        simulate(session, {
          trainings: trainingsOf(seed),
          seed,
          onReported: (trial, resource) => reports.add(`${trial}@${resource}`),
          onAssigned: ({ trial, startResource, checkpointEvery }) => {
            expect(checkpointEvery).toBe(own.interval);
            if (!trial.from) return;
            const { trial: source, resource } = trial.from;
            expect(reports).toContain(`${source}@${resource}`);
            expect(resource % own.interval).toBe(0);
            // It goes on there, or later if it was stopped itself and is taken up again.
            expect(startResource).toBeGreaterThanOrEqual(resource);
            expect(session.pools().dead).not.toContain(trial.id);
            const factor = Number(trial.parameters.lr) / Number(session.trials[source]?.parameters.lr);
            const isAtEnd = [1e-4, 1e-1].includes(Number(trial.parameters.lr));
            expect(isAtEnd || Math.abs(factor - 0.8) < 1e-9 || Math.abs(factor - 1.2) < 1e-9).toBe(true);
          },
        });
      }),
      { numRuns: 40 },
    );
  });

  it('gives the place of a failed member to the best of the stop pool', () => {
    const session = sessionOf(
      { name: 'pbt', population: 4, interval: 1, stopPool: 2, quantile: 0.25 },
      { parallel: 4 },
    );
    for (let place = 0; place < 4; place += 1) session.next();
    // The worst of four gives up: 3.
    for (const [trial, metric] of [
      [0, 0.9],
      [1, 0.8],
      [2, 0.7],
    ] as const)
      session.report(trial, 1, metric);
    expect(session.report(3, 1, 0.1)).toBe('pause');
    const copy = session.next();
    expect(copy).toMatchObject({ trial: { id: 4, from: { trial: 0, resource: 1 } }, startResource: 1 });
    session.ended(2, 'failed');
    expect(session.next()).toMatchObject({ trial: { id: 3 }, startResource: 1 });
    expect(session.pools()).toEqual({ live: [0, 1, 4, 3], stop: [], dead: [2], finished: [] });
    expect(session.next()).toBe('wait');
  });
});
