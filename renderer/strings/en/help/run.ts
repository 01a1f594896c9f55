/** Help on figures: Run. */
export const runHelp = {
  'run.latency': {
    name: 'latency',
    what: 'Time from the start of an inference to its answer, in ms.',
    how: 'Measured by the engine’s monotonic clock, reading of layers included, opening of the model left out.',
    do: 'Raise the budget while the curve still falls; behind its knee only a faster disk or processor helps.',
  },
  'run.predicted': {
    name: 'predicted latency',
    what: 'Latency expected at this budget, in ms.',
    how: 'From one profile of every layer’s read and compute time, through a simulation of the ring buffer.',
    do: 'If it is far off, other work uses disk or processor: look at Device, then run again.',
  },
  'run.p50': {
    name: 'p50',
    what: 'Median latency of a continuous run, in ms: half of the inferences were faster.',
    how: 'Over all inferences since the run began.',
    do: 'Compare with the prediction; a median above it means that the machine is shared.',
  },
  'run.p99': {
    name: 'p99',
    what: 'Latency that one inference in a hundred exceeds, in ms.',
    how: 'Over all inferences since the run began.',
    do: 'If it is far above the median, look for periodic load on the disk in Device.',
  },
  'run.stall': {
    name: 'stall',
    what: 'Time that compute waited for the disk, in ms; part of the latency.',
    how: 'Sum of all waits of the last inference; the Timeline shows each with the read that ended it.',
    do: 'Raise the budget, so that more layers stay in memory, or choose the asynchronous mode.',
  },
  'run.read': {
    name: 'read',
    what: 'Bytes read from the disk for the last inference.',
    how: 'Counted by the reader, past the page cache where the file system allows it.',
    do: 'Resident layers are not read again: a larger budget reads less.',
  },
  'run.inferences': {
    name: 'inferences',
    what: 'Answers a continuous run has given.',
    how: 'Counted since it began.',
    do: 'Fewer than the period allows: see missed.',
  },
  'run.missed': {
    name: 'missed deadlines',
    what: 'Inferences that took longer than the deadline.',
    how: 'Counted since the run began; without a deadline the period counts.',
    do: 'Raise the budget or the period; stop other runs.',
  },
  'run.curve': {
    name: 'memory-delay curve',
    what: 'Latency in ms against the parameter memory allowed. Line: predicted. Dots: measured, with their spread.',
    how: 'The prediction comes from one profile; each run adds a dot.',
    do: 'Choose the budget at the knee: left of it delay rises fast, right of it memory buys little.',
  },
  'run.placement': {
    name: 'placement',
    what: 'Which layers stay in memory and which stream, in order of execution, by bytes.',
    how: 'The plan for the budget: what it would do, not what was measured.',
    do: 'A layer larger than the ring can’t stream: the least budget follows from the largest.',
  },
  'run.least': {
    name: 'min',
    what: 'The least value of the output.',
    how: 'Over all its values; NaN left out.',
    do: 'An output that is all one value points to a wrong input.',
  },
  'run.most': {
    name: 'max',
    what: 'The greatest value of the output.',
    how: 'Over all its values; NaN left out.',
    do: 'An output that is all one value points to a wrong input.',
  },
  'run.mean': {
    name: 'mean',
    what: 'The mean of the output’s values.',
    how: 'Over all its values; NaN left out.',
    do: 'Compare it with the same input in the resident mode: bits are the same.',
  },
} as const;
