import { describe, expect, it } from 'vitest';

import { builtInScenario } from '../scenario/built-in';
import { stateLength, systemOf } from '../scenario/system';
import { LiveTestbed } from './live-testbed';
import type { Endpoint } from './live-testbed';

const system = systemOf(builtInScenario({ users: 2 }));
const deviceD0 = 0;
const edgeD4 = 12;

function setUp(endpoints: readonly Endpoint[]) {
  let nowMs = 0;
  const failed: string[] = [];
  const testbed = new LiveTestbed(system, {
    endpoints,
    observe: () => Promise.resolve(new Uint8Array(stateLength(2))),
    deadlineMs: 500,
    deadline: () => new AbortController().signal,
    clockMs: () => nowMs,
    onFailure: (tier) => failed.push(tier),
    onAnswer: () => undefined,
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { testbed, failed, pass };
}

const answering = (tier: Endpoint['tier'], responseMs: number): Endpoint => ({
  tier,
  infer: () => Promise.resolve({ responseMs }),
});

describe('live testbed', () => {
  it('asks the chosen endpoints at once and rewards as the simulation does', async () => {
    const { testbed } = setUp([answering('device', 100), answering('edge', 40)]);
    const outcome = await testbed.step(Uint8Array.of(deviceD0, edgeD4), 89);
    expect(Array.from(outcome.responseMs)).toEqual([100, 40]);
    expect(outcome.rewardMs).toBe(-70);
    const missed = await testbed.step(Uint8Array.of(deviceD0, edgeD4), 89.9);
    expect(missed.rewardMs).toBe(-500);
  });

  it('answers elsewhere when an endpoint dies, at the price of both attempts', async () => {
    const dying: Endpoint = {
      tier: 'edge',
      infer: () => {
        pass(30);
        return Promise.reject(new Error('connection reset'));
      },
    };
    const { testbed, failed, pass } = setUp([answering('device', 100), dying]);
    const outcome = await testbed.step(Uint8Array.of(deviceD0, edgeD4), 89);
    expect(Array.from(outcome.responseMs)).toEqual([100, 130]);
    expect(failed).toEqual(['edge']);
  });

  it('says who is without an answer when all endpoints fail', async () => {
    const dead: Endpoint = { tier: 'device', infer: () => Promise.reject(new Error('gone')) };
    const { testbed } = setUp([dead]);
    await expect(testbed.step(Uint8Array.of(deviceD0, deviceD0), 0)).rejects.toThrow(
      /no endpoint answered d0; tried 1/,
    );
  });
});
