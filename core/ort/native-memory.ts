import { platform } from 'node:os';
import koffi from 'koffi';
import { SluiceError } from '../contract';

const WASM_PAGE_BYTES = 65_536;
/** A 32-bit WebAssembly memory ends at 4 GiB. */
const MAX_PAGES = 65_536;
const MAX_MEMORY_BYTES = MAX_PAGES * WASM_PAGE_BYTES;
/** What x86-64 and arm64 map at once when asked to, instead of 4 KiB. */
const LARGE_PAGE_BYTES = 2 << 20;
/** The longest block: one that begins with a large page may lose almost as much in front of it. */
export const MAX_BLOCK_BYTES = MAX_MEMORY_BYTES - LARGE_PAGE_BYTES;

/**
 * A page-aligned block that JavaScript, worker threads, direct file reads and ONNX Runtime see at one address.
 * Backed by a shared WebAssembly memory, because Electron forbids views of memory that V8 does not own. Pages cost
 * memory only once touched. Freed by the garbage collector after the last reference is gone, so an owner must keep
 * it alive while native code may use `address`.
 */
export interface NativeMemory {
  readonly memory: WebAssembly.Memory;
  /** Where the block begins in `memory`, bytes. */
  readonly byteOffset: number;
  /** The block's bytes, from `address` on. */
  readonly bytes: Uint8Array;
  readonly address: bigint;
}

/**
 * @param byteLength rounded up to 64 KiB.
 * @throws SluiceError `budget-too-small` when the operating system refuses the memory, `unsupported` past 4 GiB.
 */
export function allocateNativeMemory(byteLength: number): NativeMemory {
  const pages = wasmPages(byteLength);
  const memory = createMemory(pages, pages);
  return blockOf(memory, 0, pages * WASM_PAGE_BYTES);
}

/** Bytes that `allocateNativeMemory` takes for so many. @throws SluiceError `unsupported` past 4 GiB. */
export function nativeMemoryBytes(byteLength: number): number {
  return wasmPages(byteLength) * WASM_PAGE_BYTES;
}

/** Bytes that `LargePageMemory.allocate` takes for so many, to the end of its last large page. */
export function largePageMemoryBytes(byteLength: number): number {
  return Math.ceil(nativeMemoryBytes(byteLength) / LARGE_PAGE_BYTES) * LARGE_PAGE_BYTES;
}

/**
 * A block that begins with a large page, and a second one behind it that may come and grow later, so that both share
 * the page in which they meet. Direct reads into large pages are several times cheaper: a read into 4 KiB pages is as
 * many pieces for the disk's driver (see docs/adr/0008-what-reading-costs.md).
 */
export class LargePageMemory {
  readonly block: NativeMemory;
  private restBytes = 0;

  private constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly start: number,
    byteLength: number,
  ) {
    this.block = blockOf(memory, start, byteLength);
  }

  /**
   * @param byteLength rounded up to 64 KiB.
   * @throws SluiceError `budget-too-small` when the operating system refuses the memory, `unsupported` past 4 GiB.
   */
  static allocate(byteLength: number): LargePageMemory {
    const pages = wasmPages(byteLength);
    // How far the next large page is shows only once the memory has an address; it grows in place from there.
    const memory = createMemory(1, MAX_PAGES);
    const start = Number(-viewNativeMemory(memory).address & BigInt(LARGE_PAGE_BYTES - 1));
    growTo(memory, start, pages * WASM_PAGE_BYTES);
    return new LargePageMemory(memory, start, pages * WASM_PAGE_BYTES);
  }

  /**
   * The block behind the first, as long as asked for. A later call gives one that begins at the same address; blocks
   * given before stay valid as far as they reached.
   * @throws SluiceError `budget-too-small` when the operating system refuses the memory.
   */
  rest(byteLength: number): NativeMemory {
    const offset = this.start + this.block.bytes.byteLength;
    // Both in one 4 GiB memory, or the second in one of its own.
    if (offset + byteLength > MAX_MEMORY_BYTES) return allocateNativeMemory(byteLength);
    this.restBytes = Math.max(this.restBytes, byteLength);
    growTo(this.memory, this.start, this.block.bytes.byteLength + this.restBytes);
    return blockOf(this.memory, offset, byteLength);
  }

  /** What the second block holds, and what lies idle in the last large page. */
  get restAndIdleBytes(): number {
    return this.memory.buffer.byteLength - this.start - this.block.bytes.byteLength;
  }
}

/** Makes a memory reach at least `byteLength` past `start`, to the end of a large page, and asks for large pages. */
function growTo(memory: WebAssembly.Memory, start: number, byteLength: number): void {
  const wanted = Math.ceil(byteLength / LARGE_PAGE_BYTES) * LARGE_PAGE_BYTES;
  const missing = Math.min(MAX_MEMORY_BYTES, start + wanted) - memory.buffer.byteLength;
  try {
    if (missing > 0) memory.grow(wasmPages(missing));
  } catch (cause) {
    throw refused(byteLength, cause);
  }
  adviseLargePages(blockOf(memory, start, memory.buffer.byteLength - start));
}

function createMemory(initial: number, maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial, maximum, shared: true });
  } catch (cause) {
    throw refused(initial * WASM_PAGE_BYTES, cause);
  }
}

function refused(byteLength: number, cause: unknown): SluiceError {
  return new SluiceError(
    'budget-too-small',
    `The operating system refused ${byteLength} bytes of memory. Lower the budget or close other models.`,
    { byteLength },
    { cause },
  );
}

/** @throws SluiceError `unsupported` past what one memory holds. */
function wasmPages(byteLength: number): number {
  if (byteLength > MAX_BLOCK_BYTES) {
    throw new SluiceError(
      'unsupported',
      `One block holds at most ${MAX_BLOCK_BYTES} bytes; asked for ${byteLength}.`,
    );
  }
  return Math.max(1, Math.ceil(byteLength / WASM_PAGE_BYTES));
}

/** The same memory in another thread, from the object posted to it, whole. */
export function viewNativeMemory(memory: WebAssembly.Memory): NativeMemory {
  return blockOf(memory, 0, memory.buffer.byteLength);
}

function blockOf(memory: WebAssembly.Memory, byteOffset: number, byteLength: number): NativeMemory {
  const bytes = new Uint8Array(memory.buffer, byteOffset, byteLength);
  return { memory, byteOffset, bytes, address: koffi.address(bytes) };
}

/** Address of the first byte of a view. The view's buffer must stay alive and unmoved while native code uses it. */
export function addressOf(view: ArrayBufferView): bigint {
  return koffi.address(view);
}

const MADV_HUGEPAGE = 14;
const MADV_DONTNEED = 4;
type Madvise = (address: bigint, length: number, advice: number) => number;
let madviseFunction: Madvise | undefined;

function madvise(memory: NativeMemory, advice: number): boolean {
  if (platform() !== 'linux') return false;
  madviseFunction ??= koffi
    .load(null)
    .func('int madvise(void* address, size_t length, int advice)') as Madvise;
  return madviseFunction(memory.address, memory.bytes.byteLength, advice) === 0;
}

/** Asks for 2 MiB pages (fewer page-table walks, cheaper direct reads). Advice only. */
function adviseLargePages(memory: NativeMemory): void {
  madvise(memory, MADV_HUGEPAGE);
}

/** Gives the pages back to the operating system at once; the block reads as zeros afterwards. */
export function releasePages(memory: NativeMemory): boolean {
  return madvise(memory, MADV_DONTNEED);
}

/** Reads `count` 64-bit integers from native memory. */
export function readInt64s(address: bigint, count: number): number[] {
  return Array.from(koffi.decode(address, 'int64_t', count) as ArrayLike<number | bigint>, Number);
}

/** Reads a NUL-terminated UTF-8 string. */
export function readCString(address: bigint): string {
  return koffi.decode(address, 'char', -1) as string;
}

/** Reads `count` pointers. */
export function readPointers(address: bigint, count: number): bigint[] {
  return koffi.decode(address, 'void*', count) as bigint[];
}

/** Copies native bytes into a new array. */
export function copyFromNative(address: bigint, byteLength: number): Uint8Array {
  if (byteLength === 0) return new Uint8Array(0);
  return Uint8Array.from(koffi.decode(address, 'uint8_t', byteLength) as ArrayLike<number>);
}
