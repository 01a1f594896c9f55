import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SEARCH_ALGORITHM_NAMES } from './algorithms/registry';
import { SearchSession } from './search-session';
import { CURVE_SPACE, CurveTrainings, driftingCurves, steadyCurves } from './test-support/learning-curves';
import { simulate } from './test-support/simulate';

const base = {
  space: CURVE_SPACE,
  metric: { name: 'accuracy', direction: 'max' },
  maxResource: 27,
  budget: 400,
  maxFailures: 50,
  parallel: 3,
};
const algorithm = fc.oneof(
  fc.constant('random'),
  fc.record({
    name: fc.constantFrom('hyperband', 'asha'),
    minResource: fc.constantFrom(1, 2, 5),
    eta: fc.constantFrom(2, 3, 4),
  }),
  fc.record({
    name: fc.constant('pbt'),
    population: fc.integer({ min: 2, max: 8 }),
    interval: fc.constantFrom(1, 2, 3, 7),
    stopPool: fc.integer({ min: 0, max: 4 }),
    quantile: fc.constantFrom(0.2, 0.34, 0.5),
  }),
);
const setting = fc.record({
  algorithm,
  seed: fc.nat(1000),
  parallel: fc.integer({ min: 1, max: 9 }),
  budget: fc.integer({ min: 60, max: 500 }),
  failureChance: fc.constantFrom(0, 0, 0.02, 0.2),
});

type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

interface Decision {
  readonly trial: number;
  readonly at: number;
  readonly what: string;
}

describe('every algorithm', () => {
  it('keeps to the budget and to one pool for each trial, and repeats itself with the same seed', () => {
    const run = ({ failureChance, ...settings }: Setting): Decision[] => {
      const session = new SearchSession({ ...base, ...settings });
      const decisions: Decision[] = [];
      let units = 0;
      simulate(session, {
        trainings: new CurveTrainings(steadyCurves, settings.seed),
        seed: settings.seed,
        failureChance,
        onUnit: () => (units += 1),
        onAssigned: ({ trial, startResource, untilResource }) => {
          expect(untilResource).toBeGreaterThan(startResource);
          expect(untilResource).toBeLessThanOrEqual(base.maxResource);
          decisions.push({ trial: trial.id, at: startResource, what: JSON.stringify(trial) });
          const { live, stop, dead, finished } = session.pools();
          const all = [...live, ...stop, ...dead, ...finished].sort((a, b) => a - b);
          expect(all).toEqual(session.trials.map(({ id }) => id));
          expect(live.filter((id) => session.isRunning(id)).length).toBeLessThanOrEqual(settings.parallel);
        },
        onReported: (trial, at, _metric, what) => decisions.push({ trial, at, what }),
      });
      expect(units).toBeLessThanOrEqual(settings.budget);
      expect(session.spentResource).toBe(units);
      expect(session.pools().live.filter((id) => session.isRunning(id))).toEqual([]);
      return decisions;
    };
    fc.assert(
      fc.property(setting, (settings) => {
        expect(run(settings)).toEqual(run(settings));
      }),
      { numRuns: 60 },
    );
  });

  it('answers the same however often it is asked while there is nothing to start', () => {
    fc.assert(
      fc.property(setting, ({ failureChance, ...settings }) => {
        const patient = new SearchSession({ ...base, ...settings });
        const asked = new SearchSession({ ...base, ...settings });
        const trainings = (): CurveTrainings => new CurveTrainings(steadyCurves, settings.seed);
        const options = { seed: settings.seed, failureChance };
        simulate(patient, { ...options, trainings: trainings() });
        let isAsking = false;
        const { algorithm: own } = asked.plan;
        const suggest = own.suggest.bind(own);
        own.suggest = (affordable) => {
          const answer = suggest(affordable);
          if (typeof answer !== 'string' || isAsking) return answer;
          isAsking = true;
          for (let again = 0; again < 3; again += 1) expect(own.suggest(affordable)).toBe(answer);
          isAsking = false;
          return answer;
        };
        simulate(asked, { ...options, trainings: trainings() });
        expect(asked.trials).toEqual(patient.trials);
      }),
      { numRuns: 40 },
    );
  });

  it.each(SEARCH_ALGORITHM_NAMES)('%s finds the same with the metric turned round', (name) => {
    const trialsOf = (direction: 'max' | 'min'): unknown[] => {
      const settings = { ...base, algorithm: name, metric: { name: 'm', direction }, seed: 3 };
      const session = new SearchSession(settings);
      const trainings = new CurveTrainings(steadyCurves, 3);
      if (direction === 'min') {
        const train = trainings.train.bind(trainings);
        trainings.train = (...unit) => -train(...unit);
      }
      simulate(session, { trainings, seed: 3 });
      return [
        session.best()?.id,
        session.trials.map(({ id, parameters, resource }) => [id, parameters, resource]),
      ];
    };
    expect(trialsOf('min')).toEqual(trialsOf('max'));
  });

  it.each(SEARCH_ALGORITHM_NAMES)('%s begins with what it was told to', (name) => {
    const whole = { lr: 0.01, dropout: 0.5, width: 8 };
    const settings = { ...base, algorithm: name, first: [whole, { width: 3 }] };
    const session = new SearchSession(settings);
    simulate(session, { trainings: new CurveTrainings(steadyCurves, 1), seed: 1 });
    const [first, second, third] = session.trials;
    const drawn = new SearchSession({ ...settings, first: [] });
    simulate(drawn, { trainings: new CurveTrainings(steadyCurves, 1), seed: 1 });
    expect(first?.parameters).toEqual(whole);
    expect(second?.parameters).toMatchObject({ width: 3 });
    expect(third?.parameters).toEqual(drawn.trials[2]?.parameters);
  });

  it.each(SEARCH_ALGORITHM_NAMES)('%s ends when nothing but failures comes', (name) => {
    const session = new SearchSession({ ...base, algorithm: name, maxFailures: 4 });
    const trainings = new CurveTrainings(steadyCurves, 1);
    expect(simulate(session, { trainings, seed: 1, failureChance: 1 })).toBe('gave-up');
    expect(session.trials.length).toBeLessThanOrEqual(6);
  });

  it.each(SEARCH_ALGORITHM_NAMES)('%s never takes a diverged trial for a good one', (name) => {
    const session = new SearchSession({
      ...base,
      algorithm: name,
      metric: { name: 'loss', direction: 'min' },
    });
    const trainings = new CurveTrainings(steadyCurves, 1);
    const train = trainings.train.bind(trainings);
    trainings.train = (trial, ...rest) => (trial % 2 === 0 ? NaN : -train(trial, ...rest));
    const sources: number[] = [];
    simulate(session, {
      trainings,
      seed: 1,
      onAssigned: ({ trial }) => sources.push(trial.from?.trial ?? 1),
    });
    const best = session.best();
    expect((best?.id ?? 0) % 2).toBe(1);
    expect(sources.filter((trial) => trial % 2 === 0)).toEqual([]);
  });
});

describe('equal resource on synthetic learning curves, 40 seeds', () => {
  const SEEDS = 40;
  const qualityOf = (settings: object, curves: typeof steadyCurves, seed: number): number => {
    const session = new SearchSession({ ...base, parallel: 4, ...settings, seed });
    const trainings = new CurveTrainings(curves, seed);
    simulate(session, { trainings, seed });
    const best = session.best();
    return best?.best ? trainings.qualityAt(best.id, best.best.resource) : 0;
  };
  const compare = (
    own: object,
    shared: object,
    curves: typeof steadyCurves,
  ): { gain: number; wins: number } => {
    let gain = 0;
    let wins = 0;
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const difference =
        qualityOf({ ...shared, algorithm: own }, curves, seed) -
        qualityOf({ ...shared, algorithm: 'random' }, curves, seed);
      gain += difference / SEEDS;
      if (difference > 0) wins += 1;
    }
    return { gain, wins };
  };

  // Measured: 0.25 and 0.24 more, better with 39 seeds of 40; random reaches 0.70.
  it.each(['asha', 'hyperband'])('%s beats random where parameters stay good or bad', (name) => {
    const { gain, wins } = compare({ name }, { maxResource: 81, budget: 8 * 81 }, steadyCurves);
    expect(gain).toBeGreaterThan(0.15);
    expect(wins).toBeGreaterThanOrEqual(34);
  });

  // Measured: 0.057 and 0.056 more, better with all 40; random reaches 0.926 of 1.
  it.each([4, 10])(
    'pbt beats random where the best parameters change on the way, %d at a time',
    (parallel) => {
      const own = { name: 'pbt', population: 10, interval: 4 };
      const { gain, wins } = compare(own, { maxResource: 100, budget: 1000, parallel }, driftingCurves);
      expect(gain).toBeGreaterThan(0.03);
      expect(wins).toBeGreaterThanOrEqual(34);
    },
  );
});

describe('the settings of a search', () => {
  it.each([
    [
      'several faults',
      { space: { a: { type: 'float', min: 1, max: 0 } }, metric: { name: '', direction: 'up' }, budget: -1 },
      /space\.a\.min: .*metric\.name: .*metric\.direction: .*budget: /,
    ],
    [
      'an unknown algorithm',
      { algorithm: 'grid' },
      /algorithm\.name: no algorithm is called "grid"; there are random, hyperband, asha, pbt/,
    ],
    ['an option of another one', { algorithm: { name: 'asha', population: 3 } }, /algorithm: .*population/],
    ['an option out of range', { algorithm: { name: 'asha', eta: 1 } }, /algorithm\.eta: /],
    [
      'a rung beyond the end',
      { algorithm: { name: 'asha', minResource: 30 } },
      /algorithm\.minResource: expected at most maxResource, 27, found 30/,
    ],
    [
      'beginnings outside of the space',
      { first: [{ lr: 0.01 }, { lr: 7, width: 2.5, depth: 3 }] },
      /first\.1: lr: expected a number from 0\.0001 to 0\.1, found 7; .*width: expected a whole number from 1 to 64, found 2\.5; .*no parameter "depth"/,
    ],
    [
      'a population beyond the budget',
      { algorithm: { name: 'pbt', population: 200, interval: 3 } },
      /interval \* algorithm\.population: expected at most budget, 400, found 600/,
    ],
  ])('refuse %s', (_what, changes, message) => {
    expect(() => new SearchSession({ ...base, algorithm: 'random', ...changes })).toThrow(message);
  });
});
