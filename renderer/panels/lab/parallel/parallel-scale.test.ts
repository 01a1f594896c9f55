import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { lineAt, shapesOf } from './draw-parallel';
import {
  brushBetween,
  dragged,
  isKept,
  movedEnd,
  numberAt,
  toggledCategory,
  unitOf,
  unitOfNumber,
  withBrush,
} from './parallel-scale';
import type { ParallelAxis } from './parallel-types';

const LR = { id: 'lr', label: 'lr', kind: 'number', scale: 'log', min: 1e-4, max: 1e-1 } as const;
const LAYERS = {
  id: 'n',
  label: 'n',
  kind: 'number',
  scale: 'linear',
  min: 1,
  max: 6,
  isInteger: true,
} as const;
const OPT = { id: 'opt', label: 'opt', kind: 'category', values: ['adam', 'sgd', 'lion'] } as const;
const AXES: readonly ParallelAxis[] = [LR, LAYERS, OPT];
const unit = fc.double({ min: 0, max: 1, noNaN: true });

describe('places on an axis', () => {
  it('come back as the numbers they stand for', () => {
    fc.assert(
      fc.property(unit, (at) => {
        expect(unitOfNumber(LR, numberAt(LR, at))).toBeCloseTo(at, 6);
        expect(Number.isInteger(numberAt(LAYERS, at))).toBe(true);
      }),
    );
  });

  it.each([
    [LR, '0.001', 1 / 3],
    [LR, 0, undefined],
    [LR, 'adam', undefined],
    [LR, NaN, undefined],
    [LAYERS, 99, 1],
    [OPT, 'sgd', 0.5],
    [OPT, 'other', undefined],
    [OPT, undefined, undefined],
  ])('of %o: %s', (axis, value, expected) => {
    const place = unitOf(axis, value);
    if (expected === undefined) expect(place).toBeUndefined();
    else expect(place).toBeCloseTo(expected, 6);
  });
});

describe('brushes', () => {
  it('are never empty, never the whole axis, and within it, however they are dragged', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, unit), { maxLength: 6 }), (drags) => {
        let brush: ReturnType<typeof dragged>;
        for (const [from, to] of drags) {
          brush = dragged(LR, brush, from, to, 0.02);
          if (brush === undefined || 'values' in brush) continue;
          expect(brush.min).toBeGreaterThanOrEqual(LR.min);
          expect(brush.max).toBeLessThanOrEqual(LR.max);
          expect(brush.min).toBeLessThanOrEqual(brush.max);
        }
      }),
    );
    expect(brushBetween(LR, 0, 1)).toBeUndefined();
    expect(brushBetween(LR, 0.4, 0.4)).toBeUndefined();
  });

  it('move by their middle, and grow by an end', () => {
    const brush = brushBetween(LAYERS, 0.2, 0.4);
    expect(dragged(LAYERS, brush, 0.3, 0.5, 0.01)).toEqual(brushBetween(LAYERS, 0.4, 0.6));
    expect(dragged(LAYERS, brush, 0.4, 0.8, 0.01)).toEqual(brushBetween(LAYERS, 0.2, 0.8));
  });

  it('move by keys: a whole number by one at least', () => {
    expect(movedEnd(LAYERS, undefined, 'min', 0.02)).toEqual({ axis: 'n', min: 2, max: 6 });
    expect(movedEnd(LAYERS, undefined, 'max', -0.02)).toEqual({ axis: 'n', min: 1, max: 5 });
    expect(movedEnd(LAYERS, undefined, 'min', -0.02)).toBeUndefined();
  });

  it('of categories keep the axis’ order and go when all or none is kept', () => {
    const one = toggledCategory(OPT, undefined, 'sgd');
    expect(one).toEqual({ axis: 'opt', values: ['sgd'] });
    const two = toggledCategory(OPT, one, 'adam');
    expect(two).toEqual({ axis: 'opt', values: ['adam', 'sgd'] });
    expect(toggledCategory(OPT, two, 'lion')).toBeUndefined();
    expect(toggledCategory(OPT, one, 'sgd')).toBeUndefined();
  });

  it('keep the lines that go through all of them', () => {
    const line = (values: readonly (string | number | undefined)[]) => ({ id: 'a', label: 'a', values });
    const brushes = [
      { axis: 'lr', min: 1e-3, max: 1e-2 },
      { axis: 'opt', values: ['adam'] },
    ];
    expect(isKept(AXES, line(['0.005', 2, 'adam']), brushes)).toBe(true);
    expect(isKept(AXES, line(['0.05', 2, 'adam']), brushes)).toBe(false);
    expect(isKept(AXES, line(['0.005', 2, 'sgd']), brushes)).toBe(false);
    expect(isKept(AXES, line([undefined, 2, 'adam']), brushes)).toBe(false);
    expect(isKept(AXES, line([undefined, 2, 'x']), [{ axis: 'gone', min: 0, max: 1 }])).toBe(true);
    expect(withBrush(brushes, 'lr', undefined)).toEqual([brushes[1]]);
  });
});

it('finds the line at a place, and none through a gap', () => {
  const lines = [
    { id: 'a', label: 'a', values: [1e-4, 1, 'adam'] },
    { id: 'b', label: 'b', values: [1e-1, undefined, 'lion'] },
  ];
  const place = { xs: [0, 100, 200], topPx: 0, bottomPx: 100 };
  const shapes = shapesOf(AXES, lines);
  expect(lineAt(place, shapes, 50, 98, 5)).toBe(0);
  expect(lineAt(place, shapes, 50, 2, 5)).toBeUndefined();
});
