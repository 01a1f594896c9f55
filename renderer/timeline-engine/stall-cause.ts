import { upperBound } from './span-row';
import { endUs } from './span-group';
import type { LayerTrace } from './trace-model';

/** The compute side notices a finished read late by thread wake-up, or (clocks) slightly early. */
const NOTICE_US = 100;

/**
 * The read whose completion ended a wait: of the reads that hold (or begin before) the waited-for layer, the last to
 * finish by the time the wait ended.
 * @param wait index of a wait span in the trace's columns.
 * @returns index of the read, or undefined when none finished during the wait: then the disk was not the cause.
 */
export function causeOfWait(model: LayerTrace, wait: number): number | undefined {
  const { columns, readsByEnd } = model;
  const waitEndUs = endUs(columns, wait);
  const waitStartUs = columns.startUs[wait]!;
  const layer = columns.layer[wait]!;
  for (let i = upperBound(readsByEnd.endUs, waitEndUs + NOTICE_US) - 1; i >= 0; i -= 1) {
    if (readsByEnd.endUs[i]! < waitStartUs) return undefined;
    const read = readsByEnd.span[i]!;
    if (columns.layer[read]! <= layer) return read;
  }
  return undefined;
}
