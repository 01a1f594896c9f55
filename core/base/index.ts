export { engineClockMs, systemClock } from './clock';
export type { Clock } from './clock';
export { denseBytes, dtypeCodeOf, dtypeNameOf, elementBytes } from './dtype';
export { float16ToNumber, numberToFloat16 } from './float16';
export { gaussian, seededRandom } from './random';
export type { Random } from './random';
export { median, quantile } from './statistics';
export { formatBytes, parseBytes } from './units';
export { workerFile } from './worker-file';
