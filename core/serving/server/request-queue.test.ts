import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { RequestQueue } from './request-queue';

const NEVER = new AbortController().signal;

/** Work that ends when told. */
function held(): { work: () => Promise<string>; end: (answer: string) => void; fail: () => void } {
  let end: (answer: string) => void = () => undefined;
  let fail: () => void = () => undefined;
  const done = new Promise<string>((resolve, reject) => {
    end = resolve;
    fail = () => reject(new SluiceError('runtime', 'failed'));
  });
  return { work: () => done, end, fail };
}

describe('RequestQueue', () => {
  it('refuses past its capacity and says when to come back', async () => {
    let nowMs = 0;
    const queue = new RequestQueue(1, () => nowMs);
    await queue.run(async () => (nowMs += 1500), NEVER);
    const first = held();
    const running = queue.run(first.work, NEVER);
    const waiting = queue.run(async (waitedMs) => waitedMs, NEVER);
    await expect(queue.run(async () => 0, NEVER)).rejects.toMatchObject({
      code: 'overloaded',
      details: { capacity: 1, retryAfterSec: 3 },
    });
    nowMs += 250;
    first.end('a');
    expect(await running).toBe('a');
    expect(await waiting).toBe(250);
  });

  it('a clock that jumps both ways: all are answered, waits are not negative, nobody is sent away for long', async () => {
    const jump = fc.integer({ min: -1e8, max: 1e8 });
    await fc.assert(
      fc.asyncProperty(fc.array(jump, { minLength: 1, maxLength: 12 }), async (jumps) => {
        let nowMs = 1e9;
        const queue = new RequestQueue(1, () => nowMs);
        for (const ms of jumps) {
          const first = held();
          const running = queue.run(first.work, NEVER);
          const waiting = queue.run(async (waitedMs) => waitedMs, NEVER);
          nowMs += ms;
          const refusal: unknown = await queue.run(async () => 0, NEVER).catch((error: unknown) => error);
          const { retryAfterSec } = (refusal as SluiceError).details;
          expect(retryAfterSec).toBeGreaterThanOrEqual(1);
          expect(retryAfterSec).toBeLessThanOrEqual(120);
          first.end('answer');
          expect(await running).toBe('answer');
          expect(await waiting).toBe(Math.max(0, ms));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a failure does not stop the others', async () => {
    const queue = new RequestQueue(4, () => 0);
    const first = held();
    const failing = queue.run(first.work, NEVER);
    const next = queue.run(async () => 'next', NEVER);
    first.fail();
    await expect(failing).rejects.toMatchObject({ code: 'runtime' });
    expect(await next).toBe('next');
  });

  it('draining answers what was accepted and nothing else', async () => {
    const queue = new RequestQueue(4, () => 0);
    const first = held();
    const accepted = [queue.run(first.work, NEVER), queue.run(async () => 'second', NEVER)];
    const drained = queue.drain();
    await expect(queue.run(async () => 'late', NEVER)).rejects.toMatchObject({ code: 'unavailable' });
    first.end('first');
    expect(await Promise.all(accepted)).toEqual(['first', 'second']);
    await drained;
    await queue.drain();
  });

  it('any mix of ends, failures and cancellations: one at a time, in order, bounded, nothing lost', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('ask' as const) }),
        fc.record({ kind: fc.constant('end' as const), fails: fc.boolean() }),
        fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(10) }),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 0, max: 3 }), async (plan, capacity) => {
        const queue = new RequestQueue(capacity, () => 0);
        const begun: number[] = [];
        const settled = new Map<number, string>();
        const cancels: AbortController[] = [];
        let running: ReturnType<typeof held> | undefined;
        let asked = 0;
        for (const step of plan) {
          if (step.kind === 'ask') {
            const id = asked++;
            const abort = new AbortController();
            cancels.push(abort);
            const work = (): Promise<string> => {
              expect(running).toBeUndefined();
              begun.push(id);
              running = held();
              return running.work();
            };
            queue.run(work, abort.signal).then(
              () => settled.set(id, 'answered'),
              (thrown: unknown) => settled.set(id, SluiceError.from(thrown).code),
            );
          } else if (step.kind === 'end') {
            const ending = running;
            running = undefined;
            if (step.fails) ending?.fail();
            else ending?.end('');
          } else cancels[step.which]?.abort();
          await new Promise(setImmediate);
          expect(queue.state.waiting).toBeLessThanOrEqual(capacity);
        }
        const drained = queue.drain();
        while (queue.state.isBusy) {
          const ending = running;
          running = undefined;
          ending?.end('');
          await new Promise(setImmediate);
        }
        await drained;
        await new Promise(setImmediate);
        expect(settled.size).toBe(asked);
        expect(begun).toEqual([...begun].sort((a, b) => a - b));
        for (const id of begun) expect(['answered', 'runtime']).toContain(settled.get(id));
      }),
      { numRuns: 100 },
    );
  });
});
