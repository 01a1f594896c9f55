import { join } from 'node:path';
import { SluiceError } from '../contract';
import { allocateNativeMemory, LargePageMemory, MAX_BLOCK_BYTES, type NativeMemory } from '../ort';
import {
  createStreamTable,
  readsDone,
  Slot,
  streamFailure,
  type ReaderPool,
  type StreamHandle,
  type StreamTable,
} from '../storage';
import { WEIGHTS_FILE } from './manifest';
import { residentRanges, ringPieces, type FileRange, type Program } from './program';
import { scheduleStream, ticksPerInference, type StreamSchedule } from './schedule';

/** Reads of resident weights at load. */
const LOAD_CHUNK_BYTES = 1 << 20;

/** Where a range of the weights file is in memory. */
interface PlacedRange extends FileRange {
  readonly memory: NativeMemory;
  readonly offset: number;
}

/** The ring's running reads. */
export interface RingStream {
  readonly schedule: StreamSchedule;
  readonly handle: StreamHandle;
}

/**
 * All parameter memory of one loaded model: the ring, filled by a repeating stream of reads, and the resident
 * weights, read once. Closing it frees both.
 */
export class WeightMemory {
  private constructor(
    private readonly byStep: ReadonlyMap<number, readonly PlacedRange[]>,
    private readonly resident: readonly PlacedRange[],
    private ringStream: RingStream | undefined,
    private readonly ringMemory: LargePageMemory | undefined,
    readonly ringBytes: number,
    readonly residentBytes: number,
    readonly direct: boolean,
    private readonly path: string,
  ) {}

  /**
   * @param layerAt names the layer a file offset belongs to, for messages.
   * @param pages of the ring; a ring that is much smaller than a large page takes less memory in small ones.
   * @throws SluiceError `io`, `budget-too-small`.
   */
  static async open(
    pool: ReaderPool,
    storePath: string,
    program: Program,
    layerAt: (fileOffset: number) => string,
    pages: 'large' | 'small' = 'large',
  ): Promise<WeightMemory> {
    const path = join(storePath, WEIGHTS_FILE);
    const resident = placeResident(residentRanges(program));
    const residentBytes = sumBytes(new Set(resident.map((range) => range.memory)));
    const direct = await loadRanges(pool, path, resident, layerAt);
    const pieces = ringPieces(program);
    if (program.mode === 'resident' || pieces.length === 0) {
      return new WeightMemory(new Map(), resident, undefined, undefined, 0, residentBytes, direct, path);
    }
    const ringMemory = pages === 'large' ? LargePageMemory.allocate(program.ringBytes) : undefined;
    const memory = ringMemory?.block ?? allocateNativeMemory(program.ringBytes);
    const schedule = scheduleStream(pieces, {
      mode: program.mode,
      ringBytes: program.ringBytes,
      chunkBytes: program.chunkBytes,
      steps: program.steps.length,
    });
    const byStep = new Map<number, PlacedRange[]>();
    pieces.forEach((piece, index) => {
      const range = { ...piece, memory, offset: schedule.ringOffsets[index] ?? 0 };
      byStep.set(piece.step, [...(byStep.get(piece.step) ?? []), range]);
    });
    const handle = await pool.attach(toTable(schedule, path, memory, pool.readers));
    const ring = { schedule, handle };
    const ringBytes = memory.bytes.byteLength;
    const isDirect = direct && handle.direct;
    return new WeightMemory(byStep, resident, ring, ringMemory, ringBytes, residentBytes, isDirect, path);
  }

  /**
   * Memory for activations: behind the ring where there is one, so that it shares the large page in which the ring
   * ends. A later call may ask for more and takes the place of the one before.
   * @throws SluiceError `budget-too-small` when the operating system refuses it.
   */
  activations(byteLength: number): NativeMemory {
    return this.ringMemory?.rest(byteLength) ?? LargePageMemory.allocate(byteLength).block;
  }

  /** What lies behind the ring, activations and what is idle of the last large page. */
  get behindRingBytes(): number {
    return this.ringMemory?.restAndIdleBytes ?? 0;
  }

  get ring(): RingStream | undefined {
    return this.ringStream;
  }

  /** After the stream was attached anew, so that `close` ends the right one. */
  replaceRing(ring: RingStream): void {
    this.ringStream = ring;
  }

  /** Address of bytes of the weights file while a step runs, and the memory that must stay alive for it. */
  place(step: number, fileOffset: number, byteLength: number): { address: bigint; owner: NativeMemory } {
    const range = this.find(step, fileOffset, byteLength);
    const address = range.memory.address + BigInt(range.offset + fileOffset - range.fileOffset);
    return { address, owner: range.memory };
  }

  /** The same bytes as a view, or undefined when they are not in memory for that step. */
  view(step: number, range: FileRange): Uint8Array {
    const placed = this.find(step, range.fileOffset, range.byteLength);
    const start = placed.offset + range.fileOffset - placed.fileOffset;
    return placed.memory.bytes.subarray(start, start + range.byteLength);
  }

  private find(step: number, fileOffset: number, byteLength: number): PlacedRange {
    const holds = (range: PlacedRange): boolean =>
      range.fileOffset <= fileOffset && fileOffset + byteLength <= range.fileOffset + range.byteLength;
    const range = this.byStep.get(step)?.find(holds) ?? this.resident.find(holds);
    if (!range) {
      throw new SluiceError(
        'internal',
        `Bytes ${fileOffset}+${byteLength} of ${this.path} have no place for step ${step}.`,
      );
    }
    return range;
  }

  async close(): Promise<void> {
    await this.ringStream?.handle.detach();
  }
}

/** Packs ranges one after the other; a new block begins where one memory object would get too large. */
function placeResident(ranges: readonly FileRange[]): PlacedRange[] {
  const placed: PlacedRange[] = [];
  let group: FileRange[] = [];
  let groupBytes = 0;
  const flush = (): void => {
    if (group.length === 0) return;
    const memory = LargePageMemory.allocate(groupBytes).block;
    let offset = 0;
    for (const range of group) {
      placed.push({ ...range, memory, offset });
      offset += range.byteLength;
    }
    group = [];
    groupBytes = 0;
  };
  for (const range of ranges) {
    if (groupBytes + range.byteLength > MAX_BLOCK_BYTES) flush();
    group.push(range);
    groupBytes += range.byteLength;
  }
  flush();
  return placed;
}

function sumBytes(memories: ReadonlySet<NativeMemory>): number {
  return [...memories].reduce((sum, memory) => sum + memory.bytes.byteLength, 0);
}

/** Reads ranges once through the pool. @returns whether the reads bypassed the page cache. */
async function loadRanges(
  pool: ReaderPool,
  path: string,
  ranges: readonly PlacedRange[],
  layerAt: (fileOffset: number) => string,
): Promise<boolean> {
  let direct = true;
  for (const memory of new Set(ranges.map((range) => range.memory))) {
    const chunks = ranges.filter((range) => range.memory === memory).flatMap(toChunks);
    const shape = { operations: chunks.length, readers: pool.readers, ticksPerInference: 1, rounds: 1 };
    const table = createStreamTable(shape, path, memory.memory);
    chunks.forEach((chunk, index) => {
      table.fileOffsets[index] = chunk.fileOffset;
      table.destOffsets[index] = memory.byteOffset + chunk.offset;
      table.byteLengths[index] = chunk.byteLength;
    });
    const handle = await pool.attach(table);
    try {
      waitForReads(table, pool.readers, chunks.length - 1, layerAt);
    } finally {
      await handle.detach();
    }
    direct = direct && handle.direct;
  }
  return direct;
}

function toChunks(range: PlacedRange): PlacedRange[] {
  const chunks: PlacedRange[] = [];
  for (let done = 0; done < range.byteLength; done += LOAD_CHUNK_BYTES) {
    const byteLength = Math.min(LOAD_CHUNK_BYTES, range.byteLength - done);
    chunks.push({ ...range, fileOffset: range.fileOffset + done, offset: range.offset + done, byteLength });
  }
  return chunks;
}

function toTable(schedule: StreamSchedule, path: string, memory: NativeMemory, readers: number): StreamTable {
  const operations = schedule.operations.length;
  const shape = { operations, readers, ticksPerInference: ticksPerInference(schedule.steps), rounds: 0 };
  const table = createStreamTable(shape, path, memory.memory);
  schedule.operations.forEach((operation, index) => {
    table.fileOffsets[index] = operation.fileOffset;
    table.destOffsets[index] = memory.byteOffset + operation.ringOffset;
    table.byteLengths[index] = operation.byteLength;
    // No barrier at all becomes one that is always passed.
    table.barrierTicks[index] = Math.max(operation.barrierTick, -(2 ** 30));
  });
  return table;
}

/** How long a waiting thread sleeps before it looks whether it was cancelled. */
const POLL_MS = 50;

/**
 * Blocks the calling thread until an operation and all before it have been read.
 * @throws SluiceError `io` when a read failed, `cancelled` when `isCancelled` says so.
 */
export function waitForReads(
  table: StreamTable,
  readers: number,
  operation: number,
  layerAt: (fileOffset: number) => string,
  isCancelled: () => boolean = () => false,
): void {
  for (;;) {
    const progress = Atomics.load(table.control, Slot.progress);
    if (readsDone(table, readers, operation)) return;
    const failure = streamFailure(table, (failed) => layerAt(table.fileOffsets[failed] ?? 0));
    if (failure) throw failure;
    if (isCancelled()) throw new SluiceError('cancelled', 'The run was cancelled.');
    Atomics.wait(table.control, Slot.progress, progress, POLL_MS);
  }
}
