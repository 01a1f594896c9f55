import { describe, expect, it } from 'vitest';

import { gaussian, seededRandom } from '../../base';
import { ChangeDetector } from './change-detector';

/** @returns after how many rounds the detector tells a change, and the samples it takes for new. */
function firstAlarm(logRatios: readonly number[]): readonly [round: number, samples: number] | undefined {
  const detector = new ChangeDetector();
  for (const [index, logRatio] of logRatios.entries()) {
    const since = detector.observe(logRatio, 2);
    if (since !== undefined) return [index + 1, since];
  }
  return undefined;
}

const steady = Array<number>(10).fill(0);

describe('change detector', () => {
  it.each([
    ['nothing', steady, undefined],
    ['four times as slow', [...steady, ...Array<number>(10).fill(Math.log(4))], [13, 6]],
    ['four times as fast', [...steady, ...Array<number>(10).fill(-Math.log(4))], [13, 6]],
    ['half as slow again', [...steady, ...Array<number>(10).fill(Math.log(1.5))], [15, 10]],
    ['a tenth slower', [...steady, ...Array<number>(1000).fill(Math.log(1.1))], undefined],
    ['single outliers', Array.from({ length: 1000 }, (_, round) => (round % 4 === 0 ? 3 : 0)), undefined],
  ] as const)('%s', (_, logRatios, alarm) => {
    expect(firstAlarm(logRatios)).toEqual(alarm);
  });

  it('stays quiet in noise of ten percent', () => {
    const random = seededRandom(1);
    expect(firstAlarm(Array.from({ length: 100_000 }, () => 0.1 * gaussian(random)))).toBeUndefined();
  });

  it('suspects until what was suspected passes, and starts anew after an alarm', () => {
    const detector = new ChangeDetector();
    detector.observe(1, 1);
    expect(detector.suspects).toBe(true);
    detector.observe(0, 1);
    detector.observe(0, 1);
    expect(detector.suspects).toBe(false);
    expect([1, 1, 1].map((logRatio) => detector.observe(logRatio, 1))).toEqual([undefined, undefined, 3]);
    expect(detector.suspects).toBe(false);
  });

  it('does not suspect a change in noise of twenty percent, or in what is somewhat off all the time', () => {
    const random = seededRandom(1);
    const suspiciousRounds = (logRatioOf: () => number, rounds: number): number => {
      const detector = new ChangeDetector();
      return Array.from({ length: rounds }, () => {
        detector.observe(logRatioOf(), 3);
        return Number(detector.suspects);
      }).reduce((sum, each) => sum + each, 0);
    };
    expect(suspiciousRounds(() => 0.2 * gaussian(random), 1000)).toBeLessThan(50);
    expect(suspiciousRounds(() => -0.25, 7)).toBe(0);
  });
});
