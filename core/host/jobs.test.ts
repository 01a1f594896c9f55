import { describe, expect, it } from 'vitest';

import { SluiceError } from '../contract';
import type { Job } from '../contract';
import { EventBus } from './event-bus';
import { Jobs } from './jobs';
import { FakeClock } from './test-support/fake-clock';

function setUp(): { jobs: Jobs; told: Job[]; clock: FakeClock } {
  const bus = new EventBus();
  const clock = new FakeClock();
  const told: Job[] = [];
  bus.subscribe((message) => {
    if (message.event === 'job') told.push(message.payload);
  });
  return { jobs: new Jobs(bus, clock), told, clock };
}

const IMPORT = { id: 'j1', kind: 'import', subject: 'm' } as const;

/** Work that ends only when it is cancelled. */
const untilCancelled = (_report: unknown, signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new SluiceError('io', 'the child process was ended')));
  });

describe('Jobs', () => {
  it('tells start, every phase, some of the progress, and the end', async () => {
    const { jobs, told, clock } = setUp();
    const result = await jobs.run(IMPORT, (report) => {
      report({ phase: 'pack', doneBytes: 1, totalBytes: 3 });
      report({ phase: 'pack', doneBytes: 2, totalBytes: 3 });
      clock.spend(100);
      report({ phase: 'pack', doneBytes: 3, totalBytes: 3 });
      return Promise.resolve('model');
    });
    expect(result).toBe('model');
    expect(told.map(({ phase, doneBytes, state }) => `${phase} ${doneBytes} ${state}`)).toEqual([
      'start 0 running',
      'pack 1 running',
      'pack 3 running',
      'pack 3 done',
    ]);
  });

  it('a cancelled job ends as such, whatever its work said', async () => {
    const { jobs, told } = setUp();
    const running = jobs.run(IMPORT, untilCancelled);
    jobs.cancel('j1');
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(told.at(-1)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    jobs.cancel('j1');
  });

  it('keeps the error of a failed one', async () => {
    const { jobs } = setUp();
    const fail = (): Promise<never> => Promise.reject(new SluiceError('bad-model', 'not ONNX'));
    await expect(jobs.run(IMPORT, fail)).rejects.toMatchObject({ code: 'bad-model' });
    expect(jobs.list()).toMatchObject([{ state: 'failed', error: { message: 'not ONNX' } }]);
  });

  it('refuses an id twice, and to cancel what it does not know', async () => {
    const { jobs } = setUp();
    const running = jobs.run(IMPORT, untilCancelled);
    await expect(jobs.run(IMPORT, untilCancelled)).rejects.toMatchObject({ code: 'conflict' });
    expect(() => jobs.cancel('j2')).toThrow(expect.objectContaining({ code: 'not-found' }) as Error);
    await Promise.all([jobs.cancelAll(), expect(running).rejects.toThrow()]);
  });
});
