import { afterEach, expect, it, vi } from 'vitest';

import { engineClockMs, systemClock } from './clock';

afterEach(() => vi.restoreAllMocks());

it('goes on steadily while somebody sets the clock of the machine', async () => {
  const before = engineClockMs();
  expect(Math.abs(before - Date.now())).toBeLessThan(60_000);
  for (const jumpMs of [-86_400_000, 86_400_000, 0]) {
    const wall = before + jumpMs;
    vi.spyOn(Date, 'now').mockReturnValue(wall);
    const startedMs = systemClock.nowMs();
    await new Promise<void>((resolve) => void systemClock.after(5, resolve));
    const tookMs = systemClock.nowMs() - startedMs;
    expect(tookMs).toBeGreaterThan(0);
    // Less than any of the jumps, however busy the machine is.
    expect(tookMs).toBeLessThan(43_200_000);
  }
});
