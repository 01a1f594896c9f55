import { describe, expect, it } from 'vitest';

import { builtInScenario, linkScenarioOf } from './built-in';
import { mobilenetVariants } from './mobilenet-variants';
import { parseScenario, timeRatioOf } from './schema';
import type { Scenario } from './schema';

const sound = builtInScenario({ users: 2 });
const withEdgeRatio = (int8TimeRatio: Scenario['tiers']['edge']['int8TimeRatio']): Scenario => ({
  ...sound,
  tiers: { ...sound.tiers, edge: { ...sound.tiers.edge, int8TimeRatio } },
});

describe('scenarios', () => {
  it('reads a built-in one written as JSON', () => {
    expect(parseScenario(JSON.stringify(sound), 'mine.json')).toEqual(sound);
  });

  it.each([
    ['no JSON', '{', /mine\.json: expected JSON of an offload scenario/],
    ['another document', '[]', /mine\.json is no offload scenario: top level/],
    ['no users', JSON.stringify({ ...sound, users: 0 }), /users: Too small/],
    ['an unknown key', JSON.stringify({ ...sound, speed: 1 }), /"speed"/],
    [
      'a variant twice',
      JSON.stringify({ ...sound, variants: [...sound.variants, sound.variants[0]] }),
      /variants: two variants are called "d0"/,
    ],
    [
      'an offer of nothing',
      JSON.stringify({ ...sound, tiers: { ...sound.tiers, edge: { ...sound.tiers.edge, offers: ['d9'] } } }),
      /tiers\.edge\.offers: "d9" is no variant; there are d0, d1/,
    ],
    [
      'an int8 variant without a ratio',
      JSON.stringify(withEdgeRatio({ d4: 0.6, d5: 0.7, d6: 0.8 })),
      /tiers\.edge\.int8TimeRatio: expected a ratio for each int8 .*d4, d5, d6, d7\), found d4, d5, d6/,
    ],
    [
      'a ratio of an fp32 variant',
      JSON.stringify(withEdgeRatio({ d0: 1, d4: 0.6, d5: 0.7, d6: 0.8, d7: 1 })),
      /tiers\.edge\.int8TimeRatio: .*found d0, d4/,
    ],
    [
      'several faults at once',
      JSON.stringify({ ...sound, users: -1, measurementNoise: 2 }),
      /users: .*; measurementNoise: /,
    ],
  ])('refuses %s and says where', (_, text, message) => {
    expect(() => parseScenario(text, 'mine.json')).toThrow(message);
  });

  it('takes one int8 ratio for all variants, or one for each', () => {
    const ratios = (scenario: Scenario): number[] =>
      scenario.variants.map((variant) => timeRatioOf(scenario, 'edge', variant));
    const one = parseScenario(JSON.stringify(withEdgeRatio(0.5)), 'mine.json');
    expect(ratios(one)).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]);
    expect(ratios(sound)).toEqual([1, 1, 1, 1, 0.63, 0.71, 0.8, 1.16]);
  });

  it('knows both published sets of int8 accuracies', () => {
    const d4 = (set: 'slim' | 'hosted') => mobilenetVariants(set)[4];
    expect(d4('slim')).toMatchObject({ id: 'd4', accuracyPct: 89.5 });
    expect(d4('hosted')).toMatchObject({ id: 'd4', accuracyPct: 89 });
    expect(d4('hosted')?.source).not.toBe(d4('slim')?.source);
  });

  it('names the link scenarios when one is unknown', () => {
    expect(linkScenarioOf('b')).toBe('B');
    expect(() => linkScenarioOf('E')).toThrow(/expected one of A, B, C, D, found "E"/);
  });
});
