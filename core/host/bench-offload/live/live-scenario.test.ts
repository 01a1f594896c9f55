import { expect, it } from 'vitest';

import { LIVE_SCENARIO, orderOf, requestStream } from './live-scenario';

it('gives every strategy the same stream, whichever part of it is asked for', () => {
  const stream = requestStream(LIVE_SCENARIO, 100);
  expect(requestStream(LIVE_SCENARIO, 20)).toEqual(stream.slice(0, 20));
  expect(new Set(stream).size).toBe(100);
  expect(requestStream({ ...LIVE_SCENARIO, seed: 2 }, 100)).not.toEqual(stream);
});

it('lets each strategy be first in turn', () => {
  const orders = [0, 1, 2, 3].map((block) => orderOf(['a', 'b', 'c'], block).join(''));
  expect(orders).toEqual(['abc', 'bca', 'cab', 'abc']);
});

it('has links as the built-in scenario, for inputs four times as long', () => {
  const { links, degradedEdge } = LIVE_SCENARIO;
  expect(links.edge).toEqual({ delayMs: 5, bytesPerSec: 25e6 });
  expect(links.cloud).toEqual({ delayMs: 15, bytesPerSec: 25e6 });
  expect(degradedEdge).toEqual({ delayMs: 25, bytesPerSec: 5e6 });
});
