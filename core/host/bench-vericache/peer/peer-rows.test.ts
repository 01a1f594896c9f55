import { expect, it } from 'vitest';

import { peerRatios, toRow } from './peer-rows';
import type { PeerSide } from './side-protocol';

function row(side: PeerSide, contextTokens: number, msOfBursts: readonly number[], last = 4) {
  const bursts = msOfBursts.map((decodeMs, index) => ({
    tokens: [1, 2, 3, last],
    decodeMs,
    rssBytes: 100 * (index + 1),
  }));
  const of = { side, precision: 'float32', contextTokens, threads: 2 } as const;
  return toRow(of, { loadMs: 12.4, prefillMs: 500, bursts });
}

it('a row is the median of its bursts', () => {
  expect(row('sluice', 64, [40, 100, 20])).toEqual({
    side: 'sluice',
    precision: 'float32',
    contextTokens: 64,
    threads: 2,
    tokensPerSec: 100,
    burstTokensPerSec: [100, 40, 200],
    prefillTokensPerSec: 128,
    loadMs: 12,
    rssBytes: 200,
    tokens: [1, 2, 3, 4],
  });
});

it('a ratio is the median over pairs of bursts, beside the tokens on which both agree', () => {
  const rows = [
    row('sluice', 64, [10, 20, 40]),
    row('transformers.js', 64, [20, 80, 40], 5),
    row('transformers.js', 1024, [1, 1, 1]),
    row('sluice', 1024, [2, 2, 2]),
    // Without its counterpart.
    row('sluice', 8000, [1]),
  ];
  expect(peerRatios(rows)).toEqual([
    { precision: 'float32', contextTokens: 64, ratio: 2, agreeingTokens: 3 },
    { precision: 'float32', contextTokens: 1024, ratio: 0.5, agreeingTokens: 4 },
  ]);
});
