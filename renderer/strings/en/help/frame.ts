/** Help on figures: the status strip and the budget. */
export const frameHelp = {
  'strip.cpu': {
    name: 'CPU load',
    what: 'Share of all processors in use by every process, in %.',
    how: 'From the system’s counters, twice a second.',
    do: 'Near 100%, latencies rise for all models: stop or slow a run.',
  },
  'strip.gpu': {
    name: 'GPU load',
    what: 'Share of time the GPU is busy, in %; a dash where the machine tells none.',
    how: 'From the driver, twice a second.',
    do: 'Near 100%, work queues up behind it.',
  },
  'strip.memory': {
    name: 'memory in use',
    what: 'Memory in use by every process, of all there is.',
    how: 'From the system: all, less what is available.',
    do: 'If little is left, lower the budget of all models.',
  },
  'strip.ssd': {
    name: 'SSD read rate',
    what: 'Bytes a second read from the disk by every process.',
    how: 'From the disk’s counters, twice a second.',
    do: 'At the disk’s limit streaming is bound by it: keep more layers resident.',
  },
  'strip.queue': {
    name: 'SSD queue',
    what: 'Requests in flight at the disk, on average.',
    how: 'Weighted time in the disk’s counters.',
    do: 'A long queue while no model runs is other work on this disk.',
  },
  'strip.run': {
    name: 'last run',
    what: 'Latency and stall of the latest run, in ms.',
    how: 'As in Run; a click shows its timeline.',
    do: 'Click it to see where the time went.',
  },
  'budget.bar': {
    name: 'budget',
    what: 'Parameter memory that models hold, by what holds it, against the limit of all of them.',
    how: 'Counted by the engine, which grants it before anything is read.',
    do: 'A run that is refused says how much is missing: raise the limit, or stop a run.',
  },
  'budget.ring': {
    name: 'ring',
    what: 'Memory that the layers of this model stream through, in bytes.',
    how: 'Granted before the model is loaded; the plan for its budget sets it.',
    do: 'A larger ring lets reads run ahead of computing.',
  },
  'budget.resident': {
    name: 'resident',
    what: 'Weights of this model that stay in memory, in bytes.',
    how: 'By the plan for its budget.',
    do: 'What stays is not read again: raise the model’s budget to keep more.',
  },
  'budget.constants': {
    name: 'constants',
    what: 'Small parameters that are always in memory, in bytes.',
    how: 'From the compiled store.',
    do: 'They are the floor of what a model needs.',
  },
  'budget.activations': {
    name: 'activations',
    what: 'Memory for values between layers, in bytes; beside the budget of parameters.',
    how: 'From the shapes of the model’s values.',
    do: 'Smaller inputs need less.',
  },
} as const;
