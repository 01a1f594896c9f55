import { SluiceError, type PipelineMode } from '../contract';
import { alignUp, DIRECT_ALIGNMENT } from '../storage';

/** Weights that a step needs from the stream. Pieces come in order of consumption. */
export interface Piece {
  readonly step: number;
  readonly fileOffset: number;
  /** A multiple of the direct I/O alignment. */
  readonly byteLength: number;
}

/** One read: bytes that are adjacent in the file and in the ring, for one or more pieces. */
export interface ReadOperation {
  readonly fileOffset: number;
  readonly ringOffset: number;
  readonly byteLength: number;
  /** When it may start, in ticks of its inference (see `StreamTable`); negative: in the one before. */
  readonly barrierTick: number;
  /** First step that needs it. */
  readonly step: number;
}

/** The repeating program of one stream: where each piece lies in the ring, and which read comes when. */
export interface StreamSchedule {
  readonly operations: readonly ReadOperation[];
  /** Per piece, bytes from the ring's start. */
  readonly ringOffsets: readonly number[];
  /** Per step, the last operation that must be done before it runs; -1: none. */
  readonly lastOperation: Int32Array;
  readonly ringBytes: number;
  readonly steps: number;
}

export interface ScheduleShape {
  readonly mode: Exclude<PipelineMode, 'resident'>;
  readonly ringBytes: number;
  readonly steps: number;
  /** Reads are joined and split to about this size. */
  readonly chunkBytes: number;
}

/** Tick at which an inference starts, and the tick at which a step has ended. */
export const START_TICK = 1;
export const endTick = (step: number): number => step + 2;
export const ticksPerInference = (steps: number): number => steps + 1;

/**
 * Lays the pieces of one inference into the ring and derives when each read may start. The layout is the same every
 * inference, so tensors over the ring are made once. It can't deadlock: a read waits only for the end of steps before
 * the first step that needs it, and reads start in order.
 * @throws SluiceError `budget-too-small` when a step's pieces do not fit the ring together.
 */
export function scheduleStream(pieces: readonly Piece[], shape: ScheduleShape): StreamSchedule {
  const placed = placePieces(pieces, shape);
  const operations = toOperations(placed, shape);
  return {
    operations,
    ringOffsets: placed.map((piece) => piece.ringOffset),
    lastOperation: lastOperations(operations, placed, shape.steps),
    ringBytes: shape.ringBytes,
    steps: shape.steps,
  };
}

interface PlacedPiece extends Piece {
  readonly ringOffset: number;
  readonly barrierTick: number;
}

function placePieces(pieces: readonly Piece[], shape: ScheduleShape): PlacedPiece[] {
  const offsets = shape.mode === 'async' ? ringOffsets(pieces, shape) : slotOffsets(pieces, shape);
  const ticks = ticksPerInference(shape.steps);
  const occupancy = new Occupancy(shape.ringBytes);
  const order = modeBarriers(pieces, shape.mode);
  let placed: PlacedPiece[] = [];
  // The second round sees the bytes the first one left behind: that is the steady state.
  for (let round = 0; round < 2; round += 1) {
    placed = pieces.map((piece, index) => {
      const ringOffset = offsets[index] ?? 0;
      const previous = occupancy.replace(
        ringOffset,
        ringOffset + piece.byteLength,
        round * ticks + endTick(piece.step),
      );
      const barrierTick = Math.max(previous - round * ticks, order[index] ?? -Infinity);
      if (barrierTick >= endTick(piece.step)) throw tooSmall(pieces, piece.step, shape);
      return { ...piece, ringOffset, barrierTick };
    });
  }
  return placed;
}

/** async: one after the other, back to the start when the next piece does not fit before the end. */
function ringOffsets(pieces: readonly Piece[], shape: ScheduleShape): number[] {
  let cursor = 0;
  return pieces.map((piece) => {
    if (cursor + piece.byteLength > shape.ringBytes) cursor = 0;
    if (piece.byteLength > shape.ringBytes) throw tooSmall(pieces, piece.step, shape);
    const offset = cursor;
    cursor += piece.byteLength;
    return offset;
  });
}

/** sequential: every step at the start of one buffer. sync: steps with weights alternate between two. */
function slotOffsets(pieces: readonly Piece[], shape: ScheduleShape): number[] {
  const slots = shape.mode === 'sync' ? 2 : 1;
  const slotBytes = Math.floor(shape.ringBytes / slots / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT;
  let weighted = -1;
  let step = -1;
  let within = 0;
  return pieces.map((piece) => {
    if (piece.step !== step) {
      step = piece.step;
      weighted += 1;
      within = 0;
    }
    const offset = (weighted % slots) * slotBytes + within;
    within += piece.byteLength;
    if (within > slotBytes) throw tooSmall(pieces, piece.step, shape);
    return offset;
  });
}

/** What a mode asks beyond free space, in ticks per piece. */
function modeBarriers(pieces: readonly Piece[], mode: ScheduleShape['mode']): number[] {
  if (mode === 'async') return pieces.map(() => -Infinity);
  const weightedSteps = [...new Set(pieces.map((piece) => piece.step))];
  const position = new Map(weightedSteps.map((step, index) => [step, index]));
  const lag = mode === 'sync' ? 2 : 1;
  return pieces.map((piece) => {
    const before = weightedSteps[(position.get(piece.step) ?? 0) - lag];
    return before === undefined ? START_TICK : endTick(before);
  });
}

/** Which step last used each byte of the ring: disjoint intervals, ordered, each with the tick that frees it. */
class Occupancy {
  private intervals: { start: number; end: number; freeTick: number }[];

  constructor(ringBytes: number) {
    this.intervals = [{ start: 0, end: ringBytes, freeTick: -Infinity }];
  }

  /** Gives [start, end) to a new owner. @returns the latest tick that frees any byte of it. */
  replace(start: number, end: number, freeTick: number): number {
    let latest = -Infinity;
    const next: typeof this.intervals = [];
    for (const old of this.intervals) {
      if (old.end <= start || old.start >= end) {
        next.push(old);
        continue;
      }
      latest = Math.max(latest, old.freeTick);
      if (old.start < start) next.push({ start: old.start, end: start, freeTick: old.freeTick });
      if (old.end > end) next.push({ start: end, end: old.end, freeTick: old.freeTick });
    }
    next.push({ start, end, freeTick });
    next.sort((a, b) => a.start - b.start);
    this.intervals = next;
    return latest;
  }
}

/** Joins neighbours into reads of at most `chunkBytes`, and splits what is larger. */
function toOperations(placed: readonly PlacedPiece[], shape: ScheduleShape): ReadOperation[] {
  const operations: ReadOperation[] = [];
  for (const piece of placed) {
    const last = operations.at(-1);
    if (last && joins(last, piece, shape.chunkBytes)) {
      operations[operations.length - 1] = {
        ...last,
        byteLength: last.byteLength + piece.byteLength,
        barrierTick: Math.max(last.barrierTick, piece.barrierTick),
      };
    } else operations.push(...split(piece, shape.chunkBytes));
  }
  return operations;
}

function joins(last: ReadOperation, piece: PlacedPiece, chunkBytes: number): boolean {
  return (
    last.fileOffset + last.byteLength === piece.fileOffset &&
    last.ringOffset + last.byteLength === piece.ringOffset &&
    last.byteLength + piece.byteLength <= chunkBytes &&
    // Waiting for a step that itself needs this read would never end.
    piece.barrierTick < endTick(last.step)
  );
}

function split(piece: PlacedPiece, chunkBytes: number): ReadOperation[] {
  const parts = Math.max(1, Math.ceil(piece.byteLength / chunkBytes));
  const partBytes = alignUp(piece.byteLength / parts);
  const operations: ReadOperation[] = [];
  for (let done = 0; done < piece.byteLength; done += partBytes) {
    operations.push({
      fileOffset: piece.fileOffset + done,
      ringOffset: piece.ringOffset + done,
      byteLength: Math.min(partBytes, piece.byteLength - done),
      barrierTick: piece.barrierTick,
      step: piece.step,
    });
  }
  return operations;
}

function lastOperations(
  operations: readonly ReadOperation[],
  placed: readonly PlacedPiece[],
  steps: number,
): Int32Array {
  const last = new Int32Array(steps).fill(-1);
  let operation = 0;
  let consumed = 0;
  for (const piece of placed) {
    consumed += piece.byteLength;
    while (consumed > (operations[operation]?.byteLength ?? Infinity)) {
      consumed -= operations[operation]?.byteLength ?? 0;
      operation += 1;
    }
    last[piece.step] = operation;
  }
  return last;
}

function tooSmall(pieces: readonly Piece[], step: number, shape: ScheduleShape): SluiceError {
  const stepBytes = pieces
    .filter((piece) => piece.step === step)
    .reduce((sum, piece) => sum + piece.byteLength, 0);
  return new SluiceError(
    'budget-too-small',
    `Step ${step} needs ${stepBytes} bytes at once; a ${shape.mode} buffer of ${shape.ringBytes} bytes can't hold it.`,
    { stepBytes, ringBytes: shape.ringBytes },
  );
}
