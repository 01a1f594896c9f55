import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../../base';
import { slopeOf, verdictOf, worstOf, type Sample, type Verdict } from './slope';

const MIB = 2 ** 20;

/** A sample a second. @param bytesPerMin of growth. @param noiseBytes uniform, both ways. */
function life(seconds: number, bytesPerMin: number, noiseBytes: number, startBytes = 100 * MIB): Sample[] {
  const random = seededRandom(seconds + bytesPerMin + startBytes);
  return Array.from({ length: seconds }, (_, at) => ({
    atMs: at * 1000,
    value: startBytes + (bytesPerMin * at) / 60 + (2 * random() - 1) * noiseBytes,
  }));
}

describe('the slope of memory', () => {
  it('is that of the line, whatever the lives begin at', () => {
    const lives = [life(300, 3 * MIB, 0, 50 * MIB), life(200, 3 * MIB, 0, 400 * MIB)];
    const slope = slopeOf(lives)!;
    expect(slope.perMin / MIB).toBeCloseTo(3, 6);
    expect(slope.residual).toBeLessThan(1);
    expect(slope).toMatchObject({ samples: 500, spanMs: 498_000 });
    expect(verdictOf(slope)).toBe('growing');
  });

  it.each([
    ['noise alone is flat', 0, 'flat'],
    ['a little is flat', 0.2, 'flat'],
    ['a leak is growing', 4, 'growing'],
    ['less and less is shrinking', -4, 'shrinking'],
  ])('%s', (_what, mibPerMin, verdict) => {
    expect(verdictOf(slopeOf([life(600, mibPerMin * MIB, 2 * MIB)]))).toBe(verdict);
  });

  it('has a wider interval where samples hang together', () => {
    const steps = life(600, 0, 0).map(({ atMs }, at) => ({ atMs, value: (at % 200 < 100 ? 1 : 0) * MIB }));
    const scattered = life(600, 0, 0).map(({ atMs }, at) => ({ atMs, value: (at % 2) * MIB }));
    expect(slopeOf([steps])!.halfWidthPerMin).toBeGreaterThan(3 * slopeOf([scattered])!.halfWidthPerMin);
  });

  it.each([
    ['no samples', [], 'unknown'],
    ['a short time', [life(60, 9 * MIB, 0)], 'unknown'],
    ['lives of one sample', [life(1, 0, 0), life(1, 0, 0)], 'unknown'],
  ])('of %s is not judged', (_what, lives, verdict) => expect(verdictOf(slopeOf(lives))).toBe(verdict));
});

it.each<[readonly Verdict[], Verdict]>([
  [['flat', 'growing'], 'growing'],
  [['unknown', 'flat'], 'unknown'],
  [['shrinking', 'flat'], 'flat'],
  [[], 'unknown'],
])('of %j the most worrying is %s', (verdicts, worst) => expect(worstOf(verdicts)).toBe(worst));
