import type { LabSearchState, LabTrial } from '../../../../core/contract';
import { plural } from '../plural';

const TRIALS = { one: 'trial', other: 'trials' };
const STATES: Readonly<Record<LabSearchState, string>> = {
  running: 'running',
  interrupted: 'interrupted',
  done: 'done',
  stopped: 'stopped',
  failed: 'failed',
};
const POOLS: Readonly<Record<NonNullable<LabTrial['pool']>, string>> = {
  live: 'live',
  stop: 'stopped',
  dead: 'dead',
  finished: 'finished',
};
const POOL_HINTS: Readonly<Record<NonNullable<LabTrial['pool']>, string>> = {
  live: 'In training',
  stop: 'Halted with its checkpoint: it may be taken up again',
  dead: 'Given up, its checkpoint is gone',
  finished: 'Trained to the end',
};

/** The words of the searches. */
export const searches = {
  tab: 'Searches',
  loading: 'Asking the lab for its searches…',
  failed: 'The searches did not arrive',
  list: 'Searches',
  new: 'New search',
  emptyTitle: 'No searches yet',
  empty:
    'A search tries a program with many parameters, each trial a run, and gives up early on those that do not do well.',
  emptyAction: 'Start a search',
  choose: 'Choose a search on the left.',
  states: STATES,
  pools: POOLS,
  poolHints: POOL_HINTS,
  directions: { max: 'higher is better', min: 'lower is better' },
  loadingSearch: 'Asking for the trials…',
  failedSearch: 'The search did not arrive',
  best: 'Best',
  bestTrial: (trial: number): string => `trial ${trial}`,
  noBest: 'no trial has reported yet',
  trialsCount: (count: number): string => plural(count, TRIALS),
  trials: 'Trials',
  spent: 'Budget spent',
  spentOf: (spent: string, budget: string): string => `${spent} of ${budget}`,
  poolsLabel: 'Pools',
  poolCount: (pool: string, count: number): string => `${count} ${pool}`,
  bestSoFar: (metric: string): string => `Best ${metric} so far, by trial`,
  bestSoFarHint: (direction: string): string =>
    `Each dot is the best a trial reported; the line is the best of all up to it (${direction})`,
  noTrials: 'The first trial has not reported yet.',
  parallel: 'Parameters and what came of them',
  parallelLabel: (count: number): string => `Parallel coordinates of ${count} trials, parameters to metric`,
  brushHint: 'Brush an axis above to start the next search within that part.',
  inBrush: (count: number, all: number): string => `${count} of ${all} trials in the brush`,
  clearBrush: 'Clear',
  narrow: 'Search within it',
  narrowHint: 'Starts a search like this one, within:',
  narrowNothing: 'Brush a parameter, or metrics of trials that differ in one.',
  narrowFailed: 'The search within the brush was not started',
  stop: 'Stop',
  stopHint: 'Ends it and its trials for good',
  stopFailed: 'The search was not stopped',
  resume: 'Resume',
  resumeHint: 'Goes on where it was interrupted',
  resumeFailed: 'The search does not go on',
  remove: 'Remove…',
  removeAsk: (id: string, trials: number): string =>
    `Remove ${id} for good? Its plan and the list of its ${plural(trials, TRIALS)} go; their runs stay in the table.`,
  removeYes: 'Remove the search',
  removeFailed: 'The search was not removed',
  columns: {
    trial: '#',
    pool: 'Pool',
    resource: 'Resource',
    last: 'Last',
    best: 'Best',
    from: 'From',
    run: 'Run',
  },
  hints: {
    resource: 'Steps or epochs of the last report',
    from: 'The trial whose checkpoint it went on from',
    best: (metric: string): string => `Best ${metric} it reported`,
    last: (metric: string): string => `Last ${metric} it reported`,
  },
  failedTrial: 'failed',
  json: {
    notClosed: 'the text is not closed, or has a sign that needs a \\',
    value: 'expected a value',
    name: 'expected a name in double quotes',
    colon: 'expected a colon',
    comma: (end: string): string => `expected a comma or ${end}`,
    end: 'expected the end',
    found: (fault: string, found: string): string => `${fault}, found ${found || 'the end'}`,
  },
  form: {
    title: 'New search',
    teach:
      'Each trial starts the program with a parameter each as --NAME VALUE, and --resource N, up to which it trains. What it logs as the metric at step N is its result there.',
    name: 'Name',
    namePlaceholder: 'search-N',
    json: 'Search, as JSON',
    trials: 'Each trial',
    start: 'Start the search',
    starting: 'Packing the folder…',
    cancel: 'Cancel',
    failed: 'The search was not started',
    place: (line: number, column: number): string => `line ${line}, column ${column}`,
    placeHint: 'Go there',
    faultsBelow: (count: number): string =>
      `${plural(count, { one: 'thing is', other: 'things are' })} wrong:`,
  },
} as const;
