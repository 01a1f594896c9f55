/**
 * What the executor and the reader threads share about one stream, all in shared memory so that neither needs an
 * event loop: a fixed list of read operations that repeats every inference, and a few counters.
 *
 * Time runs in ticks: an inference of S steps has S + 1 ticks; tick 1 is its start, tick s + 2 the end of step s.
 * The executor only ever raises `Slot.ticks`; operation i of inference n may start once
 * `ticks >= n * (S + 1) + barrierTicks[i]`, so the reads can never overwrite bytes that a step still needs.
 * Reader r of R does the operations whose running number g = n * operations + i has g % R = r, in order, and
 * publishes g + 1 in `Slot.firstReader + r`.
 */
export interface StreamTable {
  readonly filePath: string;
  /** Where reads land; `destOffsets` count from its first byte. */
  readonly memory: WebAssembly.Memory;
  /** Int32 counters, see `Slot`. */
  readonly control: Int32Array;
  readonly fileOffsets: Float64Array;
  readonly destOffsets: Float64Array;
  readonly byteLengths: Float64Array;
  /** May be negative: something of the previous inference. */
  readonly barrierTicks: Int32Array;
  readonly ticksPerInference: number;
  /**
   * Start and end of each operation, milliseconds of the engine clock: [parity of inference][operation][0 start, 1 end].
   */
  readonly timesMs: Float64Array;
  /** 0: repeat for ever. Otherwise stop after this many rounds (one-off loads). */
  readonly rounds: number;
}

/** Positions in `StreamTable.control`. */
export const Slot = {
  ticks: 0,
  /** Raised and notified after every finished read and on failure. */
  progress: 1,
  /** 1: readers stop. */
  stopped: 2,
  /** 1: a read failed; the next two say which and why. */
  failed: 3,
  failedOperation: 4,
  /** Bytes that were read when the file ended early, or -errno. */
  failedResult: 5,
  firstReader: 8,
} as const;

/** Position of the tick a reader sleeps for: the executor rings the doorbell only once it is reached. */
export function wantedSlot(reader: number, readers: number): number {
  return Slot.firstReader + readers + reader;
}

/** A reader that waits for nothing of this stream. */
export const NOTHING_WANTED = 0x7fffffff;

/** @param operations count; @param readers threads of the pool the stream will be attached to. */
export function createStreamTable(
  shape: { operations: number; readers: number; ticksPerInference: number; rounds: number },
  filePath: string,
  memory: WebAssembly.Memory,
): StreamTable {
  const { operations } = shape;
  return {
    filePath,
    memory,
    control: new Int32Array(new SharedArrayBuffer(4 * (Slot.firstReader + 2 * shape.readers))),
    fileOffsets: sharedFloats(operations),
    destOffsets: sharedFloats(operations),
    byteLengths: sharedFloats(operations),
    barrierTicks: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, operations))),
    ticksPerInference: shape.ticksPerInference,
    timesMs: sharedFloats(4 * operations),
    rounds: shape.rounds,
  };
}

function sharedFloats(count: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * Math.max(1, count)), 0, count);
}
