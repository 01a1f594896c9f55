import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseInput } from '../../store/parse-input';
import { parseSearch } from '../search-settings';
import { narrowSettings, narrowSpace, type Brush } from './narrow-space';
import { sample, trialRandom } from './sampling';
import { faultsOfGiven, searchSpaceSchema, type SearchSpace } from './search-space';

const SPACE = {
  optimizer: { type: 'choice', values: ['sgd', 'rms', 'adam'] },
  momentum: { type: 'float', min: 0, max: 1, when: { parameter: 'optimizer', is: ['sgd', 'rms'] } },
  kind: { type: 'int', min: 1, max: 3, when: { parameter: 'optimizer', is: 'sgd' } },
  nesterov: { type: 'choice', values: [true, false], when: { parameter: 'kind', is: [2, 3] } },
  lr: { type: 'float', min: 1e-5, max: 0.1, scale: 'log' },
  width: { type: 'int', min: 8, max: 512, scale: 'log' },
  epochs: 10,
};
const read = (json: unknown): SearchSpace => parseInput('The space', searchSpaceSchema, json);
const space = read(SPACE);

const brushes = fc
  .record(
    {
      optimizer: fc.subarray(['sgd', 'rms', 'adam'], { minLength: 1 }),
      lr: fc.tuple(
        fc.double({ min: 1e-5, max: 0.1, noNaN: true }),
        fc.double({ min: 1e-5, max: 0.1, noNaN: true }),
      ),
      width: fc.tuple(fc.integer({ min: 8, max: 512 }), fc.integer({ min: 8, max: 512 })),
    },
    { requiredKeys: ['optimizer'] },
  )
  .filter(({ lr }) => lr === undefined || lr[0] !== lr[1])
  .map((drawn): Brush[] => [
    { parameter: 'optimizer', values: drawn.optimizer },
    ...(['lr', 'width'] as const).flatMap((parameter) => {
      const ends = drawn[parameter];
      return ends ? [{ parameter, min: Math.min(...ends), max: Math.max(...ends) }] : [];
    }),
  ]);

describe('narrowSpace', () => {
  it('gives a space of which every point is one of the whole, and within all brushes', () => {
    fc.assert(
      fc.property(brushes, fc.nat(1000), (drawn, trial) => {
        const part = narrowSpace(space, drawn);
        // It is read again as it was written: a search within the part can be narrowed too.
        expect(read(JSON.parse(JSON.stringify(Object.fromEntries(part))))).toEqual(part);
        const point = sample(part, trialRandom(1, trial));
        expect(faultsOfGiven(space, point)).toEqual([]);
        for (const brush of drawn) {
          const value = point[brush.parameter]!;
          if ('values' in brush) expect(brush.values).toContain(value);
          else expect([Number(value) >= brush.min, Number(value) <= brush.max]).toEqual([true, true]);
        }
        expect(part.get('lr')).toMatchObject({ scale: 'log' });
      }),
    );
  });

  it('drops what can not be there any more, and all that depends on it', () => {
    const part = narrowSpace(space, [{ parameter: 'optimizer', values: ['rms', 'adam'] }]);
    expect([...part.keys()]).toEqual(['optimizer', 'momentum', 'lr', 'width', 'epochs']);
    expect(part.get('momentum')?.when).toEqual({ parameter: 'optimizer', is: ['rms'] });
  });

  it('names every fault at once', () => {
    const wrong: Brush[] = [
      { parameter: 'epochs', values: [10] },
      { parameter: 'lr', min: 0.2, max: 0.3 },
    ];
    expect(() => narrowSpace(space, wrong)).toThrow(
      /lr: expected a part of 0\.00001 to 0\.1, found 0\.2 to 0\.3; epochs: it is a constant/,
    );
  });
});

describe('narrowSettings', () => {
  it('leaves all but the space as it was, and of the parameters to begin with those within', () => {
    const settings = {
      space: SPACE,
      metric: { name: 'acc', direction: 'max' },
      algorithm: { name: 'asha', eta: 4 },
      maxResource: 9,
      budget: 90,
      seed: 7,
      first: [{ lr: 0.001 }, { lr: 0.05, width: 16 }, { optimizer: 'adam' }],
    };
    const part = narrowSettings(settings, space, [{ parameter: 'lr', min: 0.01, max: 0.1 }]);
    expect(part).toMatchObject({ ...settings, space: { lr: { min: 0.01 } }, first: settings.first.slice(1) });
    expect(() => parseSearch(part)).not.toThrow();
  });
});
