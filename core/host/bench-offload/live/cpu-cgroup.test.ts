import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, it } from 'vitest';

import { createCpuCgroup } from './cpu-cgroup';

/** Keeps one processor busy, and says so now and then. */
const BUSY = 'for (let i = 0; ; i += 1) if (i % 1e7 === 0) process.send(i);';

it('holds processes to a share of the processors, also while they run', async ({ skip }) => {
  let reason = '';
  const group = createCpuCgroup(`sluice-test-${process.pid}`, (why) => (reason = why));
  if (group === undefined) return skip(reason);
  const child = spawn(process.execPath, ['-e', BUSY], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const gone = once(child, 'exit');
  const goesOn = async (messages: number): Promise<void> => {
    for (let i = 0; i < messages; i += 1) await once(child, 'message');
  };
  try {
    expect(group.processors()).toBe(Infinity);
    await goesOn(1);
    group.add(child.pid!);
    group.setProcessors(0.25);
    expect(group.processors()).toBeCloseTo(0.25);
    while (group.throttledPeriods() < 5) await goesOn(1);
    group.setProcessors(Infinity);
    expect(group.processors()).toBe(Infinity);
    // What the limit had still to say of the present period is said by then.
    await goesOn(10);
    const throttled = group.throttledPeriods();
    await goesOn(10);
    expect(group.throttledPeriods()).toBe(throttled);
    for (const bad of [0, -1, 0.04, NaN]) expect(() => group.setProcessors(bad)).toThrow(RangeError);
  } finally {
    child.kill('SIGKILL');
    await gone;
    group.remove();
  }
});

it('says why there is none', () => {
  let reason = '';
  expect(createCpuCgroup('no/such/group', (why) => (reason = why))).toBeUndefined();
  expect(reason).toContain('no/such/group');
});
