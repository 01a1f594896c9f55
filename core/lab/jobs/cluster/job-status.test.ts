import { describe, expect, it } from 'vitest';

import type { JobStatus } from '../job-engine';

import type { JobEvidence } from './job-records';
import { jobStatus } from './job-status';
import type { SeenJob } from './job-status';

const begun = { isStopAsked: false, submittedId: '5', claimedBy: '5', startedMs: 1000 };
const waiting = { isStopAsked: false, submittedId: '5' };
const ended = (shellCode: number): JobEvidence => ({ ...begun, ended: { shellCode, atMs: 9000 } });
const stopped = <T extends JobEvidence>(evidence: T): T => ({ ...evidence, isStopAsked: true });
const seen = (state: SeenJob['state'], more: Partial<SeenJob> = {}): SeenJob => ({ id: '5', state, ...more });

const cases: readonly [string, JobEvidence, SeenJob | undefined, Partial<JobStatus> | undefined][] = [
  ['prepared only', { isStopAsked: false }, undefined, undefined],
  ['in the queue', waiting, seen('queued', { reason: 'waits' }), { state: 'queued', reason: 'waits' }],
  ['running', begun, seen('running', { node: 'n' }), { state: 'running', node: 'n', startedMs: 1000 }],
  ['asked to stop', stopped(begun), seen('running'), { state: 'stopping' }],
  ['asked to stop in the queue', stopped(waiting), seen('queued'), { state: 'stopped' }],
  [
    'its script told the end',
    ended(0),
    seen('succeeded'),
    { state: 'succeeded', exitCode: 0, endedMs: 9000 },
  ],
  ['forgotten after its end', ended(3), undefined, { state: 'failed', exitCode: 3 }],
  [
    'killed by a signal',
    ended(139),
    seen('failed', { exitCode: 139 }),
    { state: 'failed', signal: 'SIGSEGV' },
  ],
  ['a code beyond the signals', ended(255), seen('failed'), { state: 'failed', exitCode: 255 }],
  ['stopped, and it cleaned up', stopped(ended(0)), seen('stopped'), { state: 'stopped', exitCode: 0 }],
  [
    'out of memory, told by the scheduler only',
    ended(0),
    seen('failed', { isScheduler: true, reason: 'memory' }),
    { state: 'failed', reason: 'memory' },
  ],
  [
    'killed with its script',
    begun,
    seen('failed', { signal: 'SIGKILL' }),
    { state: 'failed', signal: 'SIGKILL' },
  ],
  [
    'killed with its script when stopped',
    stopped(begun),
    seen('failed', { signal: 'SIGKILL' }),
    { state: 'stopped' },
  ],
  [
    'stopped before it began',
    stopped(waiting),
    seen('stopped', { exitCode: 0 }),
    { state: 'stopped', reason: 'stopped before it began' },
  ],
  ['cancelled by somebody else', waiting, seen('stopped'), { state: 'stopped' }],
  ['another of its key had begun', { ...begun, claimedBy: '4' }, seen('succeeded'), { state: 'lost' }],
  ['forgotten while it ran', begun, undefined, { state: 'lost' }],
  [
    'forgotten in the queue',
    waiting,
    undefined,
    { state: 'lost', reason: 'X no longer knows the job: it never began' },
  ],
  ['forgotten when it was to stop', stopped(begun), undefined, { state: 'stopped' }],
  ['ended before', { ...begun, final: { state: 'failed' } }, seen('running'), { state: 'failed' }],
];

describe('jobStatus', () => {
  it.each(cases)('%s', (_what, evidence, job, expected) => {
    const status = jobStatus(evidence, job, 'X');
    if (expected) expect(status).toMatchObject(expected);
    else expect(status).toBeUndefined();
  });
});
