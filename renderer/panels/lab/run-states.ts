import type { LabRunState } from '../../../core/contract';

/** How a run stands, in a word. */
export const STATES: Readonly<Record<LabRunState, string>> = {
  preparing: 'preparing',
  queued: 'queued',
  running: 'running',
  stopping: 'stopping',
  succeeded: 'succeeded',
  failed: 'failed',
  stopped: 'stopped',
  lost: 'lost',
  logged: 'logged',
};
