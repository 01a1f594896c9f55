export { ParallelCoordinates } from './parallel-coordinates';
export type { ParallelAxis, ParallelBrush, ParallelCoordinatesProps, ParallelLine } from './parallel-types';
