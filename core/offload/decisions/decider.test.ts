import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { setUpDecider, USERS } from '../test-support/set-up-decider';
import { FailureBackoff } from './failure-backoff';

describe('decider', () => {
  it('explains: every alternative with prediction and accuracy, the chosen one marked', () => {
    const { decider, step, testbed } = setUpDecider();
    for (let round = 0; round < 80; round += 1) step();
    decider.pauseLearning(true);
    const decision = decider.decide(testbed.observe());
    expect(decision).toMatchObject({ reason: 'best-known', thresholdPct: 85, agent: 'factored' });
    const candidates = decider.explain(decision);
    expect(candidates).toHaveLength(USERS * testbed.system.choices);
    const chosen = candidates.filter((candidate) => candidate.chosen);
    expect(chosen).toHaveLength(USERS);
    for (const { barred, predictedMeanMs, chosen: own } of candidates) {
      if (!barred && !own) expect(predictedMeanMs!).toBeGreaterThanOrEqual(decision.predictedMeanMs! - 1e-6);
    }
  });

  it('a pin overrides the agent, also below the threshold, and goes again', () => {
    const { decider, testbed, names } = setUpDecider();
    const { system } = testbed;
    const weakest = system.choiceAccuracyPct.indexOf(system.leastAccuratePct);
    decider.pin(0, weakest);
    const one = decider.decide(testbed.observe());
    expect(names(one.action)[0]).toBe('device d7');
    expect(one.pinnedUsers).toEqual([0]);
    expect(one.meanAccuracyPct).toBeLessThan(85);
    expect(one.reason).toBe('threshold-out-of-reach');
    decider.unpin(0);
    expect(decider.decide(testbed.observe()).meanAccuracyPct).toBeGreaterThanOrEqual(85 - 1e-6);
    expect(() => decider.pin(USERS, 0)).toThrow(
      /expected a user below 3 and a choice below 24, found user 3/,
    );
  });

  it('chooses among what is offered only, and says so', () => {
    const { decider, testbed, names } = setUpDecider();
    const { system } = testbed;
    const offered = Uint8Array.from(system.choiceTier, (tier) => Number(tier !== 1));
    decider.offer(offered);
    decider.pauseLearning(true);
    const decision = decider.decide(testbed.observe());
    expect(names(decision.action).join()).not.toContain('edge');
    const edge = decider.explain(decision).filter(({ choice }) => choice.startsWith('edge'));
    expect(new Set(edge.map(({ barred }) => barred))).toEqual(new Set(['not-offered']));
    decider.offer(new Uint8Array(system.choices));
    expect(() => decider.decide(testbed.observe())).toThrow(/no tier and variant is left/);
    decider.pin(0, 8);
    decider.pin(1, 8);
    decider.pin(2, 8);
    expect(names(decider.decide(testbed.observe()).action)).toEqual(Array(3).fill('edge d0'));
  });

  it('property: what fails again and again waits longer, at most 16 times; an answer ends it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5000 }), (times, firstMs) => {
        let nowMs = 0;
        const backoff = new FailureBackoff<string>(firstMs, () => nowMs);
        for (let failure = 1; failure <= times; failure += 1) {
          backoff.failed('edge');
          const waitMs = firstMs * 2 ** Math.min(4, failure - 1);
          nowMs += waitMs - 1;
          expect(backoff.takeBack()).toEqual([]);
          nowMs += 1;
          expect(backoff.takeBack()).toEqual(['edge']);
          expect(backoff.isOut('edge')).toBe(false);
        }
        backoff.failed('edge');
        expect(backoff.answered('edge')).toBe(true);
        backoff.failed('edge');
        nowMs -= 1e6;
        expect(backoff.takeBack()).toEqual([]);
        nowMs += firstMs;
        expect(backoff.takeBack()).toEqual(['edge']);
      }),
    );
  });

  it('leaves an endpoint that failed with the next decision, and tries it again later', () => {
    const { decider, step, testbed, names, jump } = setUpDecider({ retryAfterMs: 5000 });
    for (let round = 0; round < 60; round += 1) step();
    decider.endpointFailed('device');
    const without = names(decider.decide(testbed.observe()).action);
    for (const choice of without) expect(choice).not.toMatch(/^device/);
    jump(5000);
    decider.pauseLearning(true);
    expect(names(decider.decide(testbed.observe()).action).join()).toContain('device');
  });

  it('survives a clock that jumps back: the endpoint is tried again after its time', () => {
    const { decider, testbed, names, jump } = setUpDecider(
      { retryAfterMs: 5000, explorationCap: 0 },
      'edge-only',
    );
    decider.endpointFailed('edge');
    const usesEdge = () => names(decider.decide(testbed.observe()).action).join().includes('edge');
    jump(-3_600_000);
    expect(usesEdge()).toBe(false);
    jump(4999);
    expect(usesEdge()).toBe(false);
    jump(1);
    expect(usesEdge()).toBe(true);
  });

  it('property: however the clock jumps, what failed is left at once, and never for longer than its time', () => {
    const event = fc.oneof(
      fc.constant('fails' as const),
      fc.constant('answers' as const),
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: 0, max: 6000 }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { decider, testbed, names, jump } = setUpDecider({ retryAfterMs: 5000 }, 'edge-only');
        const decide = () => decider.decide(testbed.observe());
        const usesEdge = () => names(decide().action).join().includes('edge');
        let isOut = false;
        let id = 0;
        for (const what of events) {
          if (what === 'fails') decider.endpointFailed('edge');
          else if (what === 'answers') decider.endpointAnswered('edge');
          else jump(what);
          const uses = usesEdge();
          if (what === 'fails') expect(uses).toBe(false);
          if (what === 'answers') expect(uses).toBe(true);
          // Turning the clock back shortens nobody's time.
          if (typeof what === 'number' && what < 0 && isOut) expect(uses).toBe(false);
          isOut = !uses;
          const decision = decide();
          expect(decision.id).toBeGreaterThan(id);
          id = decision.id;
        }
        // The longest there is, and a last jump back before it.
        jump(-1e9);
        usesEdge();
        jump(16 * 5000);
        expect(usesEdge()).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('says what is left when everything is down or pinned away', () => {
    const { decider, testbed } = setUpDecider();
    for (const tier of ['device', 'edge', 'cloud'] as const) decider.endpointFailed(tier);
    expect(() => decider.decide(testbed.observe())).toThrow(/User 0: no tier and variant is left/);
  });

  it.each([
    [0, 0],
    [0.05, 5],
    [0.2, 20],
  ])('caps exploration at a share of %d', (explorationCap, most) => {
    const { step } = setUpDecider({ explorationCap }, 'q-learning');
    const reasons = Array.from({ length: 300 }, () => step().decision.reason);
    for (let from = 0; from + 100 <= reasons.length; from += 1) {
      const explored = reasons.slice(from, from + 100).filter((reason) => reason === 'explored').length;
      expect(explored).toBeLessThanOrEqual(most);
    }
    // A cap of nothing is no exploring agent held back.
    expect(reasons.includes('exploration-capped')).toBe(explorationCap > 0);
  });

  it('does not learn while learning is paused', () => {
    const { agent, decider, step } = setUpDecider({}, 'q-learning');
    for (let round = 0; round < 20; round += 1) step();
    const before = agent.memory();
    decider.pauseLearning(true);
    for (let round = 0; round < 20; round += 1) expect(step().decision.reason).toBe('best-known');
    expect(agent.memory()).toEqual(before);
  });
});
