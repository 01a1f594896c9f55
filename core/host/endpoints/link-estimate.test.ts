import { describe, expect, it } from 'vitest';

import { LinkEstimate } from './link-estimate';

describe('link estimate', () => {
  it('is regular until enough says otherwise', () => {
    const link = new LinkEstimate();
    expect(link).toMatchObject({ roundTripMs: undefined, bytesPerSec: undefined, linkClass: 'regular' });
    link.observeRoundTrip(500);
    link.observe(900, 1e6);
    expect(link.linkClass).toBe('regular');
  });

  it.each([
    ['slow to send on', [5, 5, 5], [90, 95, 200], 'weak'],
    ['far away', [100, 90, 500], [], 'weak'],
    ['quick, but for one hiccup', [5, 400, 5], [12, 12, 700], 'regular'],
  ] as const)('%s', (_, roundTrips, transfers, linkClass) => {
    const link = new LinkEstimate();
    for (const ms of roundTrips) link.observeRoundTrip(ms);
    for (const ms of transfers) link.observe(ms, 1e5);
    expect(link.linkClass).toBe(linkClass);
  });

  it('does not flicker between the two limits', () => {
    const link = new LinkEstimate();
    const settle = (ms: number): string => {
      for (let round = 0; round < 5; round += 1) link.observe(ms, 1e5);
      return link.linkClass;
    };
    expect([70, 90, 70, 50, 70].map(settle)).toEqual(['regular', 'weak', 'weak', 'regular', 'regular']);
  });

  it('tells what the link carries beside its round trips', () => {
    const link = new LinkEstimate();
    link.observeRoundTrip(20);
    link.observe(120, 1e6);
    expect(link.bytesPerSec).toBeCloseTo(1e7);
  });
});
