const COLUMNS = {
  name: 'Name',
  state: 'State',
  user: 'User',
  created: 'Created',
  duration: 'Duration',
  dataset: 'Dataset',
  program: 'Program',
  experiment: 'Experiment',
  parent: 'Forked from',
  search: 'Search',
  engine: 'Engine',
  node: 'Node',
  reason: 'Reason',
};

const count = (amount: number, one: string, many: string): string => `${amount} ${amount === 1 ? one : many}`;

function ordinal(place: number): string {
  const tens = place % 100;
  const end = tens > 10 && tens < 14 ? undefined : { 1: 'st', 2: 'nd', 3: 'rd' }[place % 10];
  return `${place}${end ?? 'th'}`;
}

/** The words of the table of runs. */
export const runs = {
  table: 'Runs',
  columns: COLUMNS,
  chooseAll: 'Choose all runs shown',
  choose: (name: string) => `Choose ${name}`,
  resize: (label: string) => `Width of ${label}`,
  filter: 'Filter',
  filterBy: 'What the filter is',
  filterKinds: {
    words: { label: 'Words', hint: 'Runs that hold every word: failed lr=0.01' },
    query: { label: 'Query', hint: 'MLflow’s syntax: metrics.loss < 0.1 and params.lr = ’0.01’' },
  },
  wordsPlaceholder: 'failed lr=0.01',
  queryPlaceholder: "metrics.loss < 0.1 and params.lr = '0.01'",
  group: 'Group by',
  noGroup: 'nothing',
  layout: 'Columns',
  launch: 'Launch a run',
  example: 'Run the example',
  emptyTitle: 'No runs yet',
  empty:
    'A run is one training of a program on a data set, with its log, metrics and checkpoints: the example trains a small model on readings of machines and shows them all.',
  exampleFailed: 'The example was not started',
  noneMatch: 'No run matches the filter.',
  clearFilter: 'Clear the filter',
  groupNone: 'none',
  runs: (amount: string) => `${amount} runs`,
  oneRun: '1 run',
  of: (shown: string, all: string) => `${shown} of ${all} runs`,
  chosen: (amount: string) => `${amount} chosen`,
  compare: 'Compare',
  stop: 'Stop',
  remove: 'Remove…',
  clear: 'Clear',
  askStop: (what: string) => `Stop ${what}? Each saves a checkpoint if its program does, and can be resumed.`,
  stopNow: 'Stop',
  askRemove: (what: string) =>
    `Remove ${what} for good: folders, logs, artifacts and metrics go with it. There is no way back.`,
  removeNow: 'Remove',
  keep: 'Keep',
  some: (names: readonly string[], most: number) =>
    names.length <= most
      ? names.join(', ')
      : `${names.slice(0, most).join(', ')} and ${count(names.length - most, 'other', 'others')}`,
  faults: {
    stop: (name: string) => `${name} was not stopped`,
    resume: (name: string) => `${name} was not resumed`,
    remove: (what: string) => `${what} was not removed`,
  },
  nothingToStop: 'None of them is going on.',
  keys: [
    ['↑↓', 'move'],
    ['Space', 'choose'],
    ['Enter', 'open'],
    ['/', 'filter'],
    ['C', 'compare'],
    ['F', 'fork'],
    ['S', 'stop'],
    ['N', 'launch'],
  ] as const,
  idle: 'running, idle',
  idleHint: 'It has not used what it holds for a while.',
  position: (position: number) => `queued, ${ordinal(position)}`,
  chooser: {
    title: 'Columns',
    close: 'Close the columns',
    shown: 'Shown',
    offered: 'Offered',
    find: 'Find a column',
    findPlaceholder: 'loss, lr, …',
    add: (label: string) => `Show ${label}`,
    hide: (label: string) => `Hide ${label}`,
    pin: (label: string) => `Keep ${label} at the left`,
    up: (label: string) => `Move ${label} to the left`,
    down: (label: string) => `Move ${label} to the right`,
    none: 'No further column of that name.',
    reset: 'As at first',
    kinds: { fixed: 'Of every run', params: 'Parameters', metrics: 'Metrics, last value', tags: 'Tags' },
  },
};
