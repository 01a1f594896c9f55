import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../../base';
import { parseInput } from '../../store/parse-input';
import { perturb, sample, trialRandom } from './sampling';
import { searchSpaceSchema, type Parameters, type SearchSpace } from './search-space';

const read = (json: unknown): SearchSpace => parseInput('The space', searchSpaceSchema, json);
const SPACE = {
  momentum: { type: 'float', min: 0, max: 1, when: { parameter: 'optimizer', is: 'sgd' } },
  nesterov: { type: 'choice', values: [true, false], when: { parameter: 'momentum_kind', is: [2, 3] } },
  momentum_kind: { type: 'int', min: 1, max: 3, when: { parameter: 'optimizer', is: ['sgd', 'rms'] } },
  optimizer: { type: 'choice', values: ['sgd', 'rms', 'adam'] },
  lr: { type: 'float', min: 1e-5, max: 0.1, scale: 'log' },
  width: { type: 'int', min: 8, max: 512, scale: 'log' },
  epochs: 10,
  tag: { type: 'constant', value: 'base' },
};

/** Each value is within its range, and there exactly when its condition is met. */
function expectInSpace(parameters: Parameters): void {
  const { optimizer, momentum_kind: kind, lr, width } = parameters;
  expect(['sgd', 'rms', 'adam']).toContain(optimizer);
  expect(parameters.momentum !== undefined).toBe(optimizer === 'sgd');
  expect(kind !== undefined).toBe(optimizer !== 'adam');
  expect(parameters.nesterov !== undefined).toBe(kind === 2 || kind === 3);
  expect(Number.isInteger(width)).toBe(true);
  expect([Number(lr) >= 1e-5, Number(lr) <= 0.1, Number(width) >= 8, Number(width) <= 512]).not.toContain(
    false,
  );
  expect(parameters).toMatchObject({ epochs: 10, tag: 'base' });
}

describe('a search space', () => {
  it.each([
    ['nothing', {}, /expected at least one parameter/],
    ['a list', [], /The space can't be used as it is/],
    [
      'a range upside down',
      { a: { type: 'float', min: 2, max: 1 } },
      /a\.min: expected less than max, 1, found 2/,
    ],
    [
      'a log scale to zero',
      { a: { type: 'int', min: 0, max: 9, scale: 'log' } },
      /a\.min: expected more than 0/,
    ],
    ['half an integer', { a: { type: 'int', min: 0.5, max: 9 } }, /a\.min: /],
    ['an endless range', { a: { type: 'float', min: 0, max: Infinity } }, /a\.max: /],
    ['a misspelt key', { a: { type: 'float', min: 0, max: 1, scael: 'log' } }, /a: .*scael/],
    ['no choice', { a: { type: 'choice', values: [] } }, /a\.values: /],
    ['a choice twice', { a: { type: 'choice', values: [1, 1] } }, /a\.values: expected each value once/],
    ['an unknown type', { a: { type: 'normal', mean: 0 } }, /a\.type: /],
    ['a name for a shell', { 'a b;': 1 }, /a b;: expected a name of letters/],
    [
      'a condition on nothing',
      { a: { type: 'constant', value: 1, when: { parameter: 'b', is: 1 } } },
      /a\.when\.parameter: there is no parameter "b"/,
    ],
    [
      'a condition on itself',
      { a: { type: 'choice', values: [1], when: { parameter: 'a', is: 1 } } },
      /depend on itself/,
    ],
    [
      'a condition on a float',
      {
        a: { type: 'constant', value: 1, when: { parameter: 'b', is: 1 } },
        b: { type: 'float', min: 0, max: 2 },
      },
      /"b" is a float/,
    ],
    [
      'a condition never met',
      {
        a: { type: 'constant', value: 1, when: { parameter: 'b', is: 'x' } },
        b: { type: 'choice', values: ['y'] },
      },
      /"b" is never "x"/,
    ],
    [
      'a circle',
      {
        a: { type: 'constant', value: 1, when: { parameter: 'b', is: 1 } },
        b: { type: 'constant', value: 1, when: { parameter: 'a', is: 1 } },
      },
      /circle/,
    ],
  ])('refuses %s', (_what, json, message) => {
    expect(() => read(json)).toThrow(message);
  });

  it('names all faults at once, each with its path', () => {
    const json = { lr: { type: 'float', min: 1, max: 0 }, n: { type: 'int', min: 1 }, kind: { type: 'odd' } };
    expect(() => read(json)).toThrow(/lr\.min: .*n\.max: .*kind\.type: |kind\.type: .*lr\.min: /);
    expect(() => read(json)).toThrow(/n\.max/);
  });

  it('draws and perturbs points that lie in it', () => {
    const space = read(SPACE);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(1000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, trial, resample) => {
          const random = trialRandom(seed, trial);
          const point = sample(space, random);
          expectInSpace(point);
          expectInSpace(perturb(space, point, random, resample));
          expect(sample(space, trialRandom(seed, trial))).toEqual(point);
        },
      ),
    );
  });

  it('draws each integer of a range as often, its ends too', () => {
    const space = read({ n: { type: 'int', min: 1, max: 4 } });
    const random = seededRandom(3);
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < 4000; draw += 1) counts[Number(sample(space, random).n)]! += 1;
    for (const count of counts.slice(1)) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('draws decades of a log scale as often', () => {
    const space = read({ lr: { type: 'float', min: 1e-4, max: 1e-1, scale: 'log' } });
    const random = seededRandom(4);
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 3000; draw += 1) {
      const decade = Math.floor(Math.log10(Number(sample(space, random).lr)));
      counts.set(decade, (counts.get(decade) ?? 0) + 1);
    }
    for (const decade of [-4, -3, -2]) expect(Math.abs((counts.get(decade) ?? 0) - 1000)).toBeLessThan(120);
  });

  it('perturbs by a factor, integers by at least one, and leaves choices', () => {
    const space = read({
      lr: { type: 'float', min: 0, max: 1 },
      n: { type: 'int', min: 1, max: 9 },
      c: { type: 'choice', values: ['a', 'b'] },
    });
    const random = seededRandom(5);
    for (let draw = 0; draw < 50; draw += 1) {
      const { lr, n, c } = perturb(space, { lr: 0.5, n: 2, c: 'b' }, random, 0);
      expect([0.4, 0.6]).toContain(lr);
      expect([1, 3]).toContain(n);
      expect(c).toBe('b');
    }
  });

  it('gives different trials different points', () => {
    const space = read({ x: { type: 'float', min: 0, max: 1 } });
    const points = Array.from({ length: 1000 }, (_, trial) => sample(space, trialRandom(7, trial)).x);
    expect(new Set(points).size).toBe(1000);
    const mean = points.reduce((sum: number, x) => sum + Number(x), 0) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
  });
});
