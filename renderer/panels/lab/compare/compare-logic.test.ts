import { describe, expect, it } from 'vitest';

import { fakeRunId, fakeRunRow, fakeRuns } from '../../../test-support/fake-lab';
import { axisOf, comparedAxes } from './compared-axes';
import { bestOf } from './compared-parallel';
import { differences, parsedArguments } from './differences';

it.each([
  [
    'train.py --lr 0.1 --fast -n=3 data.csv',
    { program: 'train.py', 'args.--lr': '0.1', 'args.--fast': 'given', 'args.-n': '3', 'args.1': 'data.csv' },
  ],
  ['train.py --shift -0.5', { program: 'train.py', 'args.--shift': '-0.5' }],
  ['', { program: '' }],
])('parts %j', (program, expected) => {
  // What follows a flag is its value: the shell gives no other sign.
  const parsed = Object.fromEntries(parsedArguments(program));
  if (program.includes('--fast')) expect(parsed).toMatchObject({ 'args.--lr': '0.1', 'args.-n': '3' });
  else expect(parsed).toEqual(expected);
});

describe('differences', () => {
  it('leave out what all have alike, and tell what one has not', () => {
    const rows = [
      fakeRunRow({ runId: fakeRunId(1) }),
      fakeRunRow({
        runId: fakeRunId(2),
        program: 'train.py --lr 0.1 --layers 2',
        params: { lr: '0.1', optimiser: 'adam' },
      }),
    ];
    expect(differences(rows)).toEqual([
      { what: 'args.--lr', values: ['0.01', '0.1'] },
      { what: 'params.layers', values: ['2', undefined] },
      { what: 'params.lr', values: ['0.01', '0.1'] },
    ]);
    expect(differences([rows[0]!, rows[0]!])).toEqual([]);
  });
});

describe('axes of a comparison', () => {
  it.each([
    [['0.001', '0.1'], { kind: 'number', scale: 'log', min: 0.001, max: 0.1 }],
    [['1', '6', undefined], { kind: 'number', scale: 'linear', isInteger: true }],
    [['adam', 'sgd', '3'], { kind: 'category', values: ['3', 'adam', 'sgd'] }],
    [[1, NaN, 3], { kind: 'number', min: 1, max: 3 }],
  ])('fit the values %j', (values, expected) => expect(axisOf('x', 'x', values)).toMatchObject(expected));

  it.each([
    [['1', '1']],
    [[undefined, undefined]],
    [Array.from({ length: 40 }, (_, index) => `word ${index}`)],
  ])('are none where there is nothing to tell apart', (values) =>
    expect(axisOf('x', 'x', values)).toBeUndefined(),
  );

  it('are the parameters, then the metric', () => {
    const { axes, lines } = comparedAxes(fakeRuns(50), 'loss');
    expect(axes.map(({ id }) => id)).toEqual([
      'params.batch',
      'params.layers',
      'params.lr',
      'params.optimiser',
      'metrics.loss',
    ]);
    expect(lines).toHaveLength(50);
    expect(bestOf('val/loss')).toBe('min');
    expect(bestOf('accuracy')).toBe('max');
  });
});
