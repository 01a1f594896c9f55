import { describe, expect, it } from 'vitest';

import { RemoteLoop, type PassEnd } from './remote-loop';

/** Time that passes when it is told to. */
class Steps {
  private ms = 0;
  private waiting: { readonly at: number; readonly run: () => void } | undefined;
  readonly delays: number[] = [];

  readonly clock = {
    nowMs: () => this.ms,
    after: (delayMs: number, run: () => void) => {
      this.delays.push(delayMs);
      const own = { at: this.ms + delayMs, run };
      this.waiting = own;
      return () => {
        if (this.waiting === own) this.waiting = undefined;
      };
    },
  };

  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  /** To where it waits for, and until what begins there has ended. */
  async go(): Promise<void> {
    const { waiting } = this;
    if (!waiting) throw new Error('Nothing waits.');
    this.waiting = undefined;
    this.ms = waiting.at;
    waiting.run();
    await new Promise((done) => setImmediate(done));
  }
}

function loopOf(steps: Steps, pass: () => Promise<PassEnd>, random = 1): RemoteLoop {
  return new RemoteLoop({ clock: steps.clock, random: () => random, pass });
}

describe('the loop of a remote', () => {
  it('waits longer after each failure, up to five minutes, and as before once all went well', async () => {
    const steps = new Steps();
    let isDown = true;
    const loop = loopOf(steps, () =>
      isDown ? Promise.reject(new Error('down')) : Promise.resolve({ isComplete: true }),
    );
    loop.start();
    for (let pass = 0; pass < 10; pass++) await steps.go();
    expect(steps.delays.slice(1)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((sec) => sec * 1000));
    expect(loop.isBackingOff).toBe(true);
    isDown = false;
    await steps.go();
    expect([steps.delays.at(-1), loop.isBackingOff]).toEqual([5000, false]);
    await loop.close();
    expect(steps.isWaiting).toBe(false);
  });

  it('waits half as long at most by chance, and also when some was refused', async () => {
    const steps = new Steps();
    const loop = loopOf(steps, () => Promise.resolve({ isComplete: false }), 0);
    loop.start();
    for (let pass = 0; pass < 3; pass++) await steps.go();
    expect(steps.delays.slice(1)).toEqual([1000, 2000, 4000]);
    await loop.close();
  });

  it('makes one pass at a time; one that is asked for begins after the call', async () => {
    let running = 0;
    let passes = 0;
    const loop = loopOf(new Steps(), async () => {
      expect((running += 1)).toBe(1);
      await new Promise((done) => setImmediate(done));
      running -= 1;
      passes += 1;
      return { isComplete: true };
    });
    await Promise.all([loop.now(), loop.now(), loop.now()]);
    expect(passes).toBe(3);
    await loop.close();
    await expect(loop.now()).rejects.toMatchObject({ code: 'cancelled' });
  });
});
