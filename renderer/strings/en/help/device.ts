/** Help on figures: Device. */
export const deviceHelp = {
  'device.cpu': {
    name: 'processor',
    what: 'Share of all processors in use, in %: by all processes, and by the engine.',
    how: 'From the system’s counters, several times a second.',
    do: 'What others use is missing for models.',
  },
  'device.memory': {
    name: 'memory',
    what: 'Memory in use by all processes, and the engine’s own: resident and anonymous.',
    how: 'From the system; anonymous memory leaves mapped files out.',
    do: 'Anonymous memory that only grows is a leak: report it with the engine’s log.',
  },
  'device.disk': {
    name: 'SSD throughput',
    what: 'Bytes a second read and written by all processes, and read by the engine.',
    how: 'From the disk’s counters and the engine’s own.',
    do: 'Writes slow reads down: move logs or data elsewhere.',
  },
  'device.queue': {
    name: 'SSD queue',
    what: 'Requests in flight at the disk, and the share of time it was busy.',
    how: 'From the disk’s counters.',
    do: 'Busy without throughput points to many small requests or a failing disk.',
  },
  'device.gpu': {
    name: 'GPU',
    what: 'Share of time the GPU is busy, in %.',
    how: 'From the driver.',
    do: 'Many machines expose none; then nothing is missing.',
  },
  'device.total': {
    name: 'memory',
    what: 'Memory the machine has.',
    how: 'From the system.',
    do: 'Budgets of all models together should leave some of it free.',
  },
} as const;
