import { describe, expect, it } from 'vitest';

import { DEFAULT_SETUP } from '../../stores';
import { EXAMPLE_MODEL } from '../../test-support/fake-engine';
import { fakeModel } from '../../test-support/fake-library';
import { budgetRemedy, chooseModel, inputKey, offeredInputs, parseMs, runRequest } from './run-actions';

const EXAMPLES = [
  { id: 'sign', title: 'Sign', forTask: 'text' },
  { id: 'cat', title: 'Cat', forTask: 'classification' },
] as const;

describe('run choices', () => {
  it('offers the examples of the task, the file in hand, and random values where a tensor will do', () => {
    const file = { name: 'x.png', input: { kind: 'file', path: '/x.png' } } as const;
    const classifier = offeredInputs(fakeModel({ name: 'm' }), EXAMPLES, { ...DEFAULT_SETUP, file });
    expect(classifier.map(({ input }) => inputKey(input))).toEqual([
      'example:cat',
      'file:/x.png',
      'random:1',
    ]);
    const text = offeredInputs(EXAMPLE_MODEL, EXAMPLES, DEFAULT_SETUP);
    expect(text.map(({ name }) => name)).toEqual(['Sign']);
  });

  it('chooses the remembered model, else one that reads text, else the first ready one', () => {
    const broken = fakeModel({ name: 'a', state: 'broken' });
    const ready = fakeModel({ name: 'b' });
    expect(chooseModel([broken, ready, EXAMPLE_MODEL], 'b')?.name).toBe('b');
    expect(chooseModel([broken, ready, EXAMPLE_MODEL], 'gone')?.name).toBe('text-reader');
    expect(chooseModel([broken, ready], undefined)?.name).toBe('b');
    expect(chooseModel([broken], undefined)?.name).toBe('a');
    expect(chooseModel([], 'b')).toBeUndefined();
  });

  it('sends a budget unless resident, and period and deadline only when continuous', () => {
    const setup = { ...DEFAULT_SETUP, periodText: '33,3', deadlineText: '' };
    const input = { kind: 'random', seed: 1 } as const;
    expect(runRequest('m', setup, input, 5, 'once')).toEqual({
      model: 'm',
      input,
      mode: 'async',
      repeat: 'once',
      budgetBytes: 5,
    });
    expect(runRequest('m', { ...setup, mode: 'resident' }, input, 5, 'continuous')).toEqual({
      model: 'm',
      input,
      mode: 'resident',
      repeat: 'continuous',
      periodMs: 33.3,
    });
  });

  it.each([
    ['', undefined],
    [' 20 ', 20],
    ['0', Number.NaN],
    ['-1', Number.NaN],
    ['soon', Number.NaN],
  ])('reads %j as milliseconds', (text, ms) => expect(parseMs(text)).toEqual(ms));
});

describe('after a budget that was too small', () => {
  const error = {
    code: 'budget-too-small',
    message: 'too small',
    details: { minimumBytes: 7.5 * 2 ** 20 },
  } as const;

  it('the run’s own budget grows to the least', () => {
    expect(budgetRemedy(error)).toEqual({ of: 'run', bytes: 7.5 * 2 ** 20 });
  });

  it('the engine’s limit grows to the next whole MiB', () => {
    const held = { ...error, details: { ...error.details, heldBytes: 0 } };
    expect(budgetRemedy(held)).toEqual({ of: 'engine', bytes: 8 * 2 ** 20 });
  });

  it('other errors have no such way out', () => {
    expect(budgetRemedy({ ...error, code: 'io' })).toBeUndefined();
    expect(budgetRemedy({ ...error, details: {} })).toBeUndefined();
  });
});
