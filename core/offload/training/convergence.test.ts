import { describe, expect, it } from 'vitest';

import { ConvergenceDetector } from './convergence';

const RULE = { gapPct: 1, patienceShare: 0.5, leastSteps: 10 };

describe('convergence', () => {
  it.each([
    [
      'stays from the start',
      [
        [1, 0],
        [11, 0.5],
      ],
      1,
    ],
    [
      'not for long enough',
      [
        [1, 5],
        [20, 0.5],
        [29, 0.5],
      ],
      undefined,
    ],
    [
      'long enough for a late step',
      [
        [100, 0.5],
        [149, 0.9],
      ],
      undefined,
    ],
    [
      'half as long again',
      [
        [100, 0.5],
        [150, 0.9],
      ],
      100,
    ],
    [
      'leaves once',
      [
        [1, 0],
        [15, 0],
        [16, 3],
        [17, 1],
        [27, 1],
      ],
      17,
    ],
    [
      'never',
      [
        [1, 2],
        [1000, 1.01],
      ],
      undefined,
    ],
  ] as const)('%s', (_, gaps, convergedAt) => {
    const detector = new ConvergenceDetector(RULE);
    for (const [step, gap] of gaps) detector.observe(step, gap);
    expect(detector.convergedAt).toBe(convergedAt);
  });
});
