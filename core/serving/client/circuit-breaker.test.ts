import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CircuitBreaker } from './circuit-breaker';

function setUp(): { breaker: CircuitBreaker; advance: (ms: number) => void } {
  let nowMs = 1_000_000;
  const breaker = new CircuitBreaker({ failures: 3, openMs: 1000, nowMs: () => nowMs });
  return { breaker, advance: (ms) => (nowMs += ms) };
}

function fail(breaker: CircuitBreaker, times: number): void {
  for (let i = 0; i < times; i += 1) breaker.enter('edge').failed();
}

describe('CircuitBreaker', () => {
  it('opens after failures in a row, and only then', () => {
    const { breaker } = setUp();
    fail(breaker, 2);
    breaker.enter('edge').succeeded();
    fail(breaker, 2);
    expect(breaker.state).toBe('closed');
    fail(breaker, 1);
    expect(breaker.state).toBe('open');
    expect(() => breaker.enter('edge')).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringMatching(/edge failed 3 times in a row .*1000 ms/) as string,
        details: { retryAfterMs: 1000 },
      }),
    );
  });

  it('lets one trial through after a while: its failure opens it again, its success closes it', () => {
    const { breaker, advance } = setUp();
    fail(breaker, 3);
    advance(1000);
    expect(breaker.state).toBe('half-open');
    const trial = breaker.enter('edge');
    expect(() => breaker.enter('edge')).toThrow(/is being tried/);
    trial.failed();
    expect(breaker.state).toBe('open');
    advance(1000);
    breaker.enter('edge').succeeded();
    expect(breaker.state).toBe('closed');
  });

  it('a trial the caller gave up makes room for the next', () => {
    const { breaker, advance } = setUp();
    fail(breaker, 3);
    advance(1000);
    breaker.enter('edge').abandoned();
    breaker.enter('edge').succeeded();
    expect(breaker.state).toBe('closed');
  });

  it('a probe closes and opens it at any time', () => {
    const { breaker } = setUp();
    fail(breaker, 3);
    breaker.probed(true);
    expect(breaker.state).toBe('closed');
    for (let i = 0; i < 3; i += 1) breaker.probed(false);
    expect(breaker.state).toBe('open');
  });

  it('a clock that jumps back does not keep it open for longer, one that jumps ahead only ends its time', () => {
    const { breaker, advance } = setUp();
    fail(breaker, 3);
    advance(600);
    advance(-3_600_000);
    expect(breaker.state).toBe('open');
    advance(999);
    expect(breaker.state).toBe('open');
    advance(1);
    expect(breaker.state).toBe('half-open');
    breaker.enter('edge').failed();
    expect(breaker.state).toBe('open');
    advance(3_600_000);
    expect(breaker.state).toBe('half-open');
    breaker.enter('edge').succeeded();
    expect(breaker.state).toBe('closed');
  });

  it('whatever happens, at most one request is under way while it is not closed', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const) }),
      fc.record({
        kind: fc.constant('settle' as const),
        which: fc.nat(5),
        how: fc.constantFrom('succeeded' as const, 'failed' as const, 'abandoned' as const),
      }),
      fc.record({
        kind: fc.constant('advance' as const),
        ms: fc.oneof(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: -1e7, max: 1e7 })),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { breaker, advance } = setUp();
        const open: { permit: ReturnType<CircuitBreaker['enter']>; wasTrial: boolean }[] = [];
        for (const action of steps) {
          if (action.kind === 'advance') advance(action.ms);
          else if (action.kind === 'settle') {
            const [entry] = open.splice(action.which, 1);
            entry?.permit[action.how]();
          } else {
            const { state } = breaker;
            try {
              const permit = breaker.enter('edge');
              expect(state).not.toBe('open');
              open.push({ permit, wasTrial: state === 'half-open' });
            } catch {
              expect(state).not.toBe('closed');
            }
          }
          expect(open.filter(({ wasTrial }) => wasTrial).length).toBeLessThanOrEqual(
            breaker.state === 'closed' ? open.length : 1,
          );
        }
        // No jump leaves it shut for good.
        for (const { permit } of open) permit.abandoned();
        // It notices a jump when it is asked.
        expect(() => breaker.state).not.toThrow();
        advance(1000);
        expect(breaker.state).not.toBe('open');
        breaker.enter('edge').succeeded();
        expect(breaker.state).toBe('closed');
      }),
    );
  });
});
