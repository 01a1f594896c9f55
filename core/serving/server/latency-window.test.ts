import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LatencyWindow } from './latency-window';

const WINDOW = 512;

describe('how long the last requests took', () => {
  it('is nothing before the first', () => {
    expect(new LatencyWindow().latency).toBeUndefined();
  });

  it('is the middle and the 95th of a hundred, by nearest rank', () => {
    const window = new LatencyWindow();
    for (let ms = 100; ms >= 1; ms -= 1) window.add(ms);
    expect(window.latency).toEqual({ medianMs: 50, p95Ms: 95 });
  });

  it('is that of the last requests alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: WINDOW, maxLength: WINDOW }),
        fc.array(fc.nat()),
        (last, before) => {
          const [all, fresh] = [new LatencyWindow(), new LatencyWindow()];
          for (const ms of [...before, ...last]) all.add(ms);
          for (const ms of last) fresh.add(ms);
          expect(all.latency).toEqual(fresh.latency);
        },
      ),
    );
  });
});
