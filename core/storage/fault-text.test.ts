import { expect, it } from 'vitest';
import { z } from 'zod';

import { faultText } from './fault-text';

const schema = z.object({ a: z.number(), list: z.array(z.string()) });

it('names the places of the first faults, and how many more there are', () => {
  const { error } = schema.safeParse({ list: [1, 2, 3, 'x', 5] });
  expect(faultText(error)).toMatch(/^a: .*number.*; list\.0: .*string.*; list\.1: .*; and 2 more$/);
  expect(faultText(schema.safeParse(7).error)).toMatch(/^the whole: .*object/);
});

it('is short whatever is wrong', () => {
  const { error } = z.strictObject({}).safeParse({ ['k'.repeat(10_000)]: 1 });
  expect(faultText(error).length).toBeLessThanOrEqual(500);
  expect(faultText(new SyntaxError('x'.repeat(10_000)))).toHaveLength(500);
  expect(faultText('odd')).toBe('odd');
});
