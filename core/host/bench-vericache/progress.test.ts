import { expect, it } from 'vitest';

import { Progress } from './progress';

it('tells what is done and about how long the rest takes', () => {
  let nowMs = 0;
  const told: string[] = [];
  const progress = new Progress(
    3,
    (line) => told.push(line),
    () => nowMs,
  );
  nowMs += 100_000;
  progress.step('a');
  nowMs += 4_000;
  progress.step('b');
  progress.step('c');
  expect(told).toEqual(['a (1 of 3, about 4 min left)', 'b (2 of 3, about 52 s left)', 'c (3 of 3)']);
});
