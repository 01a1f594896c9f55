export { engineClockMs } from './clock';
export { denseBytes, dtypeCodeOf, dtypeNameOf, elementBytes } from './dtype';
export { gaussian, seededRandom } from './random';
export type { Random } from './random';
export { median, quantile } from './statistics';
export { formatBytes, parseBytes } from './units';
export { workerFile } from './worker-file';
