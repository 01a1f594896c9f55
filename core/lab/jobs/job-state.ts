import type { JobStatus } from './job-engine';

export function hasEnded({ state }: Pick<JobStatus, 'state'>): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'stopped' || state === 'lost';
}
