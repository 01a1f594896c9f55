/** The Device panel's words. */
export const device = {
  title: 'Device',
  window: 'Time shown',
  windows: { short: '60 s', long: '5 min' },
  waiting: 'Waiting for the first samples…',
  away: 'The engine is away and sent no figures yet.',
  starting: 'The engine is starting; figures follow.',
  now: 'now',
  facts: { host: 'Host', os: 'System', cpu: 'Processor', memory: 'Memory', disk: 'Disk', gpu: 'GPU' },
  noGpu: 'none found',
  cores: (count: number): string => `${count} cores`,
  missing: 'not exposed by this machine',
  lookedFor: 'Looked for',
  dropped: (count: string): string => `${count} samples dropped: this window was too slow to take them`,
  charts: {
    cpu: { title: 'Processor', machine: 'all processes', engine: 'engine, of all cores' },
    memory: { title: 'Memory', used: 'in use', rss: 'engine resident', anon: 'engine anonymous' },
    disk: { title: 'SSD throughput', read: 'read', write: 'written', engine: 'engine reads' },
    queue: { title: 'SSD queue', queue: 'in flight', busy: 'busy' },
    gpu: { title: 'GPU', use: 'in use', memory: 'memory' },
  },
} as const;
