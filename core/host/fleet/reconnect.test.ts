import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LONGEST_WAIT_MS, standingAfter, UNTRIED, waitMs } from './reconnect';
import type { Happening } from './reconnect';

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.constant({ kind: 'opened' } as const),
  fc.constant({ kind: 'steady' } as const),
  fc.constant({ kind: 'asked' } as const),
  fc.record({ kind: fc.constant('lost' as const), reason: fc.string() }),
  fc.record({ kind: fc.constant('refused' as const), reason: fc.string() }),
);

describe('how a box stands', () => {
  it('is refused until the user asks, and online only when it opened', () => {
    fc.assert(
      fc.property(fc.array(happening), (all) => {
        let standing = UNTRIED;
        for (const each of all) {
          const before = standing;
          standing = standingAfter(standing, each);
          if (each.kind === 'opened') expect(standing.state).toBe('online');
          if (each.kind === 'refused') expect(standing.state).toBe('refused');
          if (each.kind === 'asked') expect(standing).toEqual(UNTRIED);
          if (each.kind === 'lost') {
            expect(standing.state).toBe(before.state === 'online' ? 'connecting' : 'offline');
            expect(standing.failures).toBe(before.failures + 1);
          }
          expect(standing.reason === undefined).toBe(
            standing.state === 'online' ||
              (standing.state === 'connecting' && each.kind !== 'lost' && before.reason === undefined) ||
              each.kind === 'asked',
          );
        }
      }),
    );
  });

  it('that keeps coming and going waits ever longer, until it stays', () => {
    let standing = UNTRIED;
    const waits: number[] = [];
    for (let count = 0; count < 20; count += 1) {
      standing = standingAfter(standingAfter(standing, { kind: 'opened' }), { kind: 'lost', reason: 'gone' });
      waits.push(waitMs(standing.failures, () => 1));
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits.at(-1)).toBe(LONGEST_WAIT_MS);
    standing = standingAfter(standingAfter(standing, { kind: 'opened' }), { kind: 'steady' });
    expect(waitMs(standingAfter(standing, { kind: 'lost', reason: 'gone' }).failures, () => 1)).toBe(
      waits[0],
    );
  });

  it('waits between half of a time and the whole, never longer than a minute', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
        const ms = waitMs(failures, () => chance);
        expect(ms).toBeGreaterThanOrEqual(waitMs(failures, () => 0));
        expect(ms).toBeLessThanOrEqual(Math.min(LONGEST_WAIT_MS, 2 * waitMs(failures, () => 0)));
        expect(ms).toBeGreaterThan(0);
      }),
    );
  });
});
