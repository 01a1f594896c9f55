import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DraftLength } from './draft-length';

/** Rounds with a given acceptance of each token, times of a draft step and of a verification. */
function after(
  accepted: (drafted: number) => number,
  draftTokenMs: number,
  verifyMs: (k: number) => number,
): DraftLength {
  const length = new DraftLength();
  for (let round = 0; round < 60; round += 1) {
    // Several lengths, so that the line through the times is known.
    const drafted = Math.max(1, length.next + (round % 3) - 1);
    length.add({
      drafted,
      accepted: Math.min(drafted, accepted(drafted)),
      draftMs: drafted * draftTokenMs,
      verifyMs: verifyMs(drafted),
    });
  }
  return length;
}

describe('the length of drafts', () => {
  it('grows where drafts are accepted and verifying costs much, and shrinks where they are not', () => {
    const good = after(
      (drafted) => drafted,
      1,
      () => 400,
    );
    const bad = after(
      () => 0,
      10,
      () => 40,
    );
    expect(good.next).toBeGreaterThan(30);
    expect(bad.next).toBeLessThan(3);
    expect(good.acceptance).toBeGreaterThan(bad.acceptance);
  });

  it('is longer the longer a verification takes', () => {
    const cheap = after(
      () => 8,
      10,
      () => 50,
    ).next;
    const dear = after(
      () => 8,
      10,
      () => 1000,
    ).next;
    expect(dear).toBeGreaterThan(cheap);
  });

  it('is always one that a round can have, whatever was measured', () => {
    const round = fc.record({
      drafted: fc.integer({ min: 0, max: 63 }),
      accepted: fc.integer({ min: 0, max: 63 }),
      draftMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      verifyMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 40 }), (rounds) => {
        const length = new DraftLength();
        for (const { accepted, ...rest } of rounds) {
          length.add({ ...rest, accepted: Math.min(accepted, rest.drafted) });
          expect(Number.isInteger(length.next) && length.next >= 1 && length.next <= 63).toBe(true);
          expect(length.acceptance).toBeGreaterThanOrEqual(0);
          expect(length.acceptance).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('stays where it was fixed, and refuses what no round can have', () => {
    const fixed = DraftLength.of(7);
    fixed.add({ drafted: 7, accepted: 0, draftMs: 1, verifyMs: 1 });
    expect(fixed.next).toBe(7);
    for (const length of [0, 64, 1.5])
      expect(() => DraftLength.of(length)).toThrow(/expected 1 to 63 or auto/);
  });
});
