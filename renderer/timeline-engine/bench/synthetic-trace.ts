import { SPAN_KINDS } from '../../../core/contract';
import type { TraceColumns } from '../../../core/contract';

const READ = SPAN_KINDS.indexOf('read');
const WAIT = SPAN_KINDS.indexOf('wait');
const COMPUTE = SPAN_KINDS.indexOf('compute');
const READS_IN_FLIGHT = 3;
const RING_BYTES = 24 * 2 ** 20;

/**
 * A made-up streamed inference for measuring the drawing, and for nothing else: reads with some in flight fill a ring,
 * layers compute when their bytes are there and wait when they are not. The same seed gives the same trace.
 */
export function syntheticTrace(spans: number, seed = 1): TraceColumns {
  const random = lehmer(seed);
  const rows: { kind: number; layer: number; start: number; end: number; bytes: number }[] = [];
  const ring: { at: number; by: number }[] = [];
  const slotFreeUs = Array.from({ length: READS_IN_FLIGHT }, () => 0);
  let computeEndUs = 0;
  const layerNames: string[] = [];
  for (let layer = 0; rows.length < spans; layer += 1) {
    layerNames.push(
      `/features/block${Math.floor(layer / 6)}/${['conv1', 'bn1', 'relu', 'conv2', 'bn2', 'add'][layer % 6] ?? ''}`,
    );
    const bytes = Math.round((0.2 + 3 * random() ** 3) * 2 ** 20);
    const slot = slotFreeUs.indexOf(Math.min(...slotFreeUs));
    const readStart = Math.max(slotFreeUs[slot]!, computeEndUs - 12_000);
    const readEnd = readStart + (bytes / 350e6) * 1e6 * (0.8 + 0.5 * random());
    slotFreeUs[slot] = readEnd;
    rows.push({ kind: READ, layer, start: readStart, end: readEnd, bytes });
    ring.push({ at: readEnd, by: bytes });
    if (readEnd > computeEndUs) rows.push({ kind: WAIT, layer, start: computeEndUs, end: readEnd, bytes });
    const start = Math.max(computeEndUs, readEnd);
    computeEndUs = start + 300 + 2400 * random() ** 2;
    rows.push({ kind: COMPUTE, layer, start, end: computeEndUs, bytes });
    ring.push({ at: computeEndUs, by: -bytes });
  }
  rows.length = spans;
  rows.sort((a, b) => a.start - b.start);
  ring.sort((a, b) => a.at - b.at);
  let held = 0;
  return {
    runId: 'synthetic',
    kind: Uint8Array.from(rows, ({ kind }) => kind),
    layer: Uint32Array.from(rows, ({ layer }) => layer),
    startUs: Float64Array.from(rows, ({ start }) => start),
    durationUs: Float64Array.from(rows, ({ start, end }) => end - start),
    bytes: Float64Array.from(rows, ({ bytes }) => bytes),
    layerNames,
    ringAtUs: Float64Array.from(ring, ({ at }) => at),
    ringBytes: Float64Array.from(ring, ({ by }) => (held += by)),
    ringCapacityBytes: RING_BYTES,
  };
}

/** Park and Miller's minimal standard generator. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
