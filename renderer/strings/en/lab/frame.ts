import type { LabRunState } from '../../../../core/contract';

/** How a run stands, in a word. */
const STATES: Readonly<Record<LabRunState, string>> = {
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

/** The words of the Lab panel's frame; each view has its own beside it. */
export const frame = {
  title: 'Lab',
  views: 'Views of the lab',
  runs: 'Runs',
  states: STATES,
  waiting: 'Waiting for the engine…',
  starting: 'The lab is starting…',
  startingHint: 'Its server opens the store of runs and looks for those that were going on.',
  failed: 'The lab did not start',
  silent: 'The lab does not answer',
  again: 'Try again',
  off: 'The lab is off',
  turnOn: 'Start the lab',
  loadFailed: 'The runs did not arrive',
  at: (url: string, user: string) => `${user} at ${url}`,
  copyUrl: (url: string) => `Programs log here: MLFLOW_TRACKING_URI=${url}. Copies it.`,
  copied: 'Copied',
  commands: {
    keywords: { view: 'experiments mlflow', launch: 'train start job', compare: 'metrics plot', open: 'run' },
    runs: 'Lab: show the runs',
    view: (title: string) => `Lab: show ${title.toLowerCase()}`,
    launch: 'Lab: launch a run',
    compare: 'Lab: compare the chosen runs',
    open: (name: string) => `Lab: open run ${name}`,
  },
};
