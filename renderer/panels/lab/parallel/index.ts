export { ParallelCoordinates } from './parallel-coordinates';
export { isKept } from './parallel-scale';
export type { ParallelAxis, ParallelBrush, ParallelCoordinatesProps, ParallelLine } from './parallel-types';
