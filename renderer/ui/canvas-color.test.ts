import { expect, it } from 'vitest';

import { faded, mixed } from './canvas-color';

it('fades a token', () => {
  expect(faded('#0d5c34', 0.2)).toBe('#0d5c3433');
  expect(faded('#0d5c34', 0)).toBe('#0d5c3400');
  expect(faded('', 0.2)).toBe('');
});

it('mixes two tokens, ends included', () => {
  expect([0, 0.5, 1].map((share) => mixed('#000000', '#ff8002', share))).toEqual([
    '#000000',
    '#804001',
    '#ff8002',
  ]);
  expect(mixed('red', '#ff8002', 0.5)).toBe('#ff8002');
});
