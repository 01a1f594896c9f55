/** For programs that users write in Node: `import { startRun } from 'sluice/lab'`. It needs nothing but Node. */
export { startRun } from './start-run';
export type { StartRunOptions } from './start-run';
export type { RunStatus, TrackedRun } from './tracked-run';
