import { describe, expect, it } from 'vitest';

import { gaussian, seededRandom } from '../../base';
import { ChangeDetector } from './change-detector';

/** @returns after how many rounds the detector tells a change, and how many rounds it takes for new. */
function firstAlarm(logRatios: readonly number[]): readonly [round: number, since: number] | undefined {
  const detector = new ChangeDetector();
  for (const [index, logRatio] of logRatios.entries()) {
    const since = detector.observe(logRatio);
    if (since !== undefined) return [index + 1, since];
  }
  return undefined;
}

const steady = Array<number>(10).fill(0);

describe('change detector', () => {
  it.each([
    ['nothing', steady, undefined],
    ['four times as slow', [...steady, ...Array<number>(10).fill(Math.log(4))], [13, 3]],
    ['four times as fast', [...steady, ...Array<number>(10).fill(-Math.log(4))], [13, 3]],
    ['half as slow again', [...steady, ...Array<number>(10).fill(Math.log(1.5))], [15, 5]],
    ['a tenth slower', [...steady, ...Array<number>(1000).fill(Math.log(1.1))], undefined],
    ['single outliers', Array.from({ length: 1000 }, (_, round) => (round % 4 === 0 ? 3 : 0)), undefined],
  ] as const)('%s', (_, logRatios, alarm) => {
    expect(firstAlarm(logRatios)).toEqual(alarm);
  });

  it('stays quiet in noise of ten percent', () => {
    const random = seededRandom(1);
    expect(firstAlarm(Array.from({ length: 100_000 }, () => 0.1 * gaussian(random)))).toBeUndefined();
  });

  it('drops a suspicion that stays one, and has none for a while', () => {
    const detector = new ChangeDetector();
    const suspected = Array.from({ length: 25 }, (_, round) => {
      // The rounds that may start a suspicion are far off, the others as far off as is left to learning.
      expect(detector.observe(round % 20 === 0 ? 1 : 0.2)).toBeUndefined();
      return Number(detector.suspects);
    });
    expect(suspected.join('')).toBe('1111111110000000000011111');
  });

  it('suspects until what was suspected passes, and starts anew after an alarm', () => {
    const detector = new ChangeDetector();
    detector.observe(1);
    expect(detector.suspects).toBe(true);
    detector.observe(0);
    detector.observe(0);
    expect(detector.suspects).toBe(false);
    expect([1, 1, 1].map((logRatio) => detector.observe(logRatio))).toEqual([undefined, undefined, 3]);
    expect(detector.suspects).toBe(false);
  });
});
