import { SluiceError } from '../../contract';
import { ChunkSum, DIRECT_ALIGNMENT, readFully, writeFully } from '../../storage';

/** Shorter reads cost more, longer ones gain nothing (docs/adr/0014-kv-cache-on-disk.md). */
const PIECE_BYTES = 2 << 20;

/**
 * Blocks of one layer to read or write: in each of its regions, so many blocks that follow each other in the file as
 * in memory. The threads of a pool share the pieces of a job between them.
 */
export interface CacheJob {
  readonly kind: 'read' | 'write';
  readonly regions: number;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Of the first chunk of region 0, and from there to the next region's, bytes. */
  readonly fileOffset: number;
  readonly fileStride: number;
  readonly memoryOffset: number;
  readonly memoryStride: number;
  /** Of every chunk of the file, in shared memory: what a read expects, and what a write leaves. */
  readonly sums: BigUint64Array;
  readonly sumOffset: number;
  readonly sumStride: number;
  /** Int32 counters in shared memory, see `JobSlot`. */
  readonly control: Int32Array;
}

/** Positions in `CacheJob.control`. */
const JobSlot = {
  /** Pieces that threads have taken, and finished. */
  taken: 0,
  finished: 1,
  /** 1: all pieces were read and checked, or written. */
  succeeded: 2,
  /** Lowest chunk that is not what was written, as `block * regions + region`. */
  badChunk: 3,
  /** Error number of the file system; the piece follows in the same form as `badChunk`. */
  errno: 4,
  errnoChunk: 5,
} as const;
const SLOTS = 6;
const NO_CHUNK = 0x7fffffff;

/** `[JobSlot]`, int32 in shared memory: the reader's thread writes, whoever asked looks. */
export function createJobControl(): Int32Array {
  const control = new Int32Array(new SharedArrayBuffer(4 * SLOTS));
  control[JobSlot.badChunk] = NO_CHUNK;
  return control;
}

/** Without waiting for the event loop. */
export function hasSucceeded(control: Int32Array): boolean {
  return Atomics.load(control, JobSlot.succeeded) === 1;
}

/** Why a job did not succeed; `block` counts from the job's first. */
export type JobFailure =
  | { readonly kind: 'corrupt'; readonly block: number; readonly region: number }
  | { readonly kind: 'io'; readonly block: number; readonly region: number; readonly errno: number }
  /** A thread ended in the middle of it. */
  | { readonly kind: 'unfinished' };

/** Of a job that no thread works on any more and that has not succeeded. */
export function jobFailure({ control, regions }: Pick<CacheJob, 'control' | 'regions'>): JobFailure {
  const place = (chunk: number) => ({ block: Math.floor(chunk / regions), region: chunk % regions });
  const badChunk = Atomics.load(control, JobSlot.badChunk);
  const errno = Atomics.load(control, JobSlot.errno);
  if (errno !== 0) return { kind: 'io', errno, ...place(Atomics.load(control, JobSlot.errnoChunk)) };
  return badChunk === NO_CHUNK ? { kind: 'unfinished' } : { kind: 'corrupt', ...place(badChunk) };
}

/** A memory that a thread has seen, and the sum over it. */
export class SummedMemory {
  private readonly chunks: ChunkSum;

  constructor(readonly memory: WebAssembly.Memory) {
    this.chunks = new ChunkSum(memory);
  }

  /** A view made anew, because the memory may have grown. */
  bytes(offset: number, byteLength: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, offset, byteLength);
  }

  sum(offset: number, byteLength: number): bigint {
    return this.chunks.sum(offset, byteLength);
  }
}

interface Piece {
  readonly region: number;
  readonly block: number;
  readonly blocks: number;
}

/** Does its share of a job's pieces. Runs in a thread of its own. */
export class JobRunner {
  /** For memory that direct I/O can't address. */
  private aligned: SummedMemory | undefined;

  /** Takes pieces until none are left or one failed. @param open gives the file's descriptor, or throws. */
  run(job: CacheJob, open: () => number, memory: SummedMemory): void {
    const { control } = job;
    const blocksAPiece = evenPieces(job);
    const piecesARegion = Math.ceil(job.blocks / blocksAPiece);
    const pieces = job.regions * piecesARegion;
    while (Atomics.load(control, JobSlot.errno) === 0) {
      const taken = Atomics.add(control, JobSlot.taken, 1);
      if (taken >= pieces) return;
      const block = (taken % piecesARegion) * blocksAPiece;
      const blocks = Math.min(blocksAPiece, job.blocks - block);
      const piece = { region: Math.floor(taken / piecesARegion), block, blocks };
      try {
        this.runPiece(job, piece, open(), memory);
      } catch (error) {
        failJob(job, piece, error);
        return;
      }
      const isLast = Atomics.add(control, JobSlot.finished, 1) + 1 === pieces;
      const isWhole = Atomics.load(control, JobSlot.badChunk) === NO_CHUNK;
      if (isLast && isWhole) Atomics.store(control, JobSlot.succeeded, 1);
    }
  }

  private runPiece(job: CacheJob, piece: Piece, fd: number, memory: SummedMemory): void {
    const byteLength = piece.blocks * job.blockBytes;
    const offset = job.memoryOffset + piece.region * job.memoryStride + piece.block * job.blockBytes;
    const isAligned = offset % DIRECT_ALIGNMENT === 0;
    const through = isAligned ? memory : this.alignedMemory(byteLength);
    const at = isAligned ? offset : 0;
    const own = memory.bytes(offset, byteLength);
    const passed = through.bytes(at, byteLength);
    const filePosition = job.fileOffset + piece.region * job.fileStride + piece.block * job.blockBytes;
    if (job.kind === 'write') {
      if (!isAligned) passed.set(own);
      writeFully(fd, passed, filePosition);
      keepSums(job, piece, through, at);
    } else {
      const read = readFully(fd, passed, byteLength, filePosition);
      checkSums(job, piece, through, at, read);
      if (!isAligned) own.set(passed);
    }
  }

  private alignedMemory(byteLength: number): SummedMemory {
    const found = this.aligned;
    if (found && found.memory.buffer.byteLength >= byteLength) return found;
    const pages = Math.ceil(byteLength / 65_536);
    this.aligned = new SummedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
    return this.aligned;
  }
}

/** Blocks of a piece, so that a region's pieces are about the same. */
function evenPieces({ blocks, blockBytes }: CacheJob): number {
  const most = Math.max(1, Math.floor(PIECE_BYTES / blockBytes));
  return Math.ceil(blocks / Math.ceil(blocks / most));
}

function keepSums(job: CacheJob, piece: Piece, memory: SummedMemory, at: number): void {
  for (let block = 0; block < piece.blocks; block += 1) {
    const sum = memory.sum(at + block * job.blockBytes, job.blockBytes);
    job.sums[sumIndex(job, piece, block)] = sum;
  }
}

/** @param read bytes that came; fewer where the file ends. */
function checkSums(job: CacheJob, piece: Piece, memory: SummedMemory, at: number, read: number): void {
  for (let block = 0; block < piece.blocks; block += 1) {
    const start = block * job.blockBytes;
    const isThere = start + job.blockBytes <= read;
    const expected = job.sums[sumIndex(job, piece, block)];
    if (isThere && memory.sum(at + start, job.blockBytes) === expected) continue;
    lower(job.control, JobSlot.badChunk, (piece.block + block) * job.regions + piece.region);
    return;
  }
}

function sumIndex(job: CacheJob, piece: Piece, block: number): number {
  return job.sumOffset + piece.region * job.sumStride + piece.block + block;
}

function lower(control: Int32Array, slot: number, value: number): void {
  let found = Atomics.load(control, slot);
  while (value < found) {
    const before = Atomics.compareExchange(control, slot, found, value);
    if (before === found) return;
    found = before;
  }
}

function failJob(job: CacheJob, piece: Piece, thrown: unknown): void {
  const error = thrown instanceof SluiceError ? thrown.cause : thrown;
  const { errno } = error as NodeJS.ErrnoException;
  // No answer of the file system but a fault of this program: it ends the thread and is told from there.
  if (errno === undefined) throw thrown;
  Atomics.store(job.control, JobSlot.errnoChunk, piece.block * job.regions + piece.region);
  Atomics.store(job.control, JobSlot.errno, Math.abs(errno));
}
