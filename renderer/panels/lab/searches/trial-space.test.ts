import { describe, expect, it } from 'vitest';

import type { LabTrial } from '../../../../core/contract';
import { fakeSearch, fakeTrial } from '../../../test-support/fake-lab-shelves';
import { axesOf, bestColumns, brushesOf, brushText, linesOf, METRIC_AXIS, trialsWithin } from './trial-space';

function trial(id: number, lr: number, hidden: number, optimizer: string, best?: number): LabTrial {
  const { best: _best, metric: _metric, ...rest } = fakeTrial(id);
  return { ...rest, parameters: { lr, hidden, optimizer }, ...(best === undefined ? {} : { best }) };
}

const SEARCH = fakeSearch({
  trials: [
    trial(0, 0.01, 16, 'adam', 0.9),
    trial(1, 0.02, 32, 'sgd', 0.7),
    trial(2, 0.001, 64, 'adam', 0.95),
    trial(3, 0.05, 100, 'adam'),
  ],
});

describe('the space of a search', () => {
  it('has an axis for each parameter that varies, then the metric’s', () => {
    const axes = axesOf(SEARCH);
    expect(axes.map(({ id }) => id)).toEqual(['lr', 'hidden', 'optimizer', METRIC_AXIS]);
    expect(axes[3]).toMatchObject({ kind: 'number', min: 0.7, max: 0.95 });
    expect(linesOf(SEARCH, axes).map(({ values }) => values)).toEqual([
      [0.01, 16, 'adam', 0.9],
      [0.02, 32, 'sgd', 0.7],
      [0.001, 64, 'adam', 0.95],
      [0.05, 100, 'adam', undefined],
    ]);
    expect(axesOf(fakeSearch({ trials: [trial(0, 1, 1, 'adam')] }))).toHaveLength(3);
  });

  it('keeps those that are within every brush', () => {
    const ids = (...brushes: Parameters<typeof trialsWithin>[1]) =>
      trialsWithin(SEARCH.trials, brushes).map(({ id }) => id);
    expect(ids()).toEqual([0, 1, 2, 3]);
    expect(ids({ axis: 'lr', min: 0.005, max: 0.03 })).toEqual([0, 1]);
    expect(ids({ axis: 'lr', min: 0.005, max: 0.03 }, { axis: 'optimizer', values: ['adam'] })).toEqual([0]);
    // One that has reported nothing has no place on the metric's axis.
    expect(ids({ axis: METRIC_AXIS, min: 0, max: 1 })).toEqual([0, 1, 2]);
  });

  it('narrows to the brushed parts, whole numbers inwards', () => {
    expect(
      brushesOf(SEARCH, [
        { axis: 'hidden', min: 10.2, max: 40.9 },
        { axis: 'optimizer', values: ['adam'] },
      ]),
    ).toEqual([
      { parameter: 'hidden', min: 11, max: 40 },
      { parameter: 'optimizer', values: ['adam'] },
    ]);
    expect(brushesOf(SEARCH, [{ axis: 'hidden', min: 10.2, max: 10.8 }])).toEqual([]);
  });

  it('narrows to what the trials span whose metric is brushed', () => {
    const brushes = brushesOf(SEARCH, [{ axis: METRIC_AXIS, min: 0.85, max: 1 }]);
    expect(brushes).toEqual([
      { parameter: 'lr', min: 0.001, max: 0.01 },
      { parameter: 'hidden', min: 16, max: 64 },
      { parameter: 'optimizer', values: ['adam'] },
    ]);
    expect(brushes.map(brushText)).toEqual(['lr 0.00100–0.0100', 'hidden 16–64', 'optimizer adam']);
  });

  it('knows the best up to each trial, in the direction of the metric', () => {
    expect(bestColumns(SEARCH)).toEqual([
      [0, 1, 2, 3],
      [0.9, 0.7, 0.95, null],
      [0.9, 0.9, 0.95, 0.95],
    ]);
    const down = fakeSearch({ trials: SEARCH.trials, metric: { name: 'loss', direction: 'min' } });
    expect(bestColumns(down)[2]).toEqual([0.9, 0.7, 0.7, 0.7]);
  });
});
