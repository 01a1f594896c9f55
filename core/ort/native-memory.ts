import { platform } from 'node:os';
import koffi from 'koffi';
import { SluiceError } from '../contract';

const WASM_PAGE_BYTES = 65_536;
/** A 32-bit WebAssembly memory ends at 4 GiB. */
export const MAX_MEMORY_BYTES = 65_536 * WASM_PAGE_BYTES;

/**
 * A page-aligned block that JavaScript, worker threads, direct file reads and ONNX Runtime see at one address.
 * Backed by a shared WebAssembly memory, because Electron forbids views of memory that V8 does not own. Pages cost
 * memory only once touched. Freed by the garbage collector after the last reference is gone, so an owner must keep
 * it alive while native code may use `address`.
 */
export interface NativeMemory {
  readonly memory: WebAssembly.Memory;
  /** All bytes, from `address` on. */
  readonly bytes: Uint8Array;
  readonly address: bigint;
}

/**
 * @param byteLength rounded up to 64 KiB.
 * @throws SluiceError `budget-too-small` when the operating system refuses the memory, `unsupported` past 4 GiB.
 */
export function allocateNativeMemory(byteLength: number): NativeMemory {
  if (byteLength > MAX_MEMORY_BYTES) {
    throw new SluiceError(
      'unsupported',
      `One block holds at most ${MAX_MEMORY_BYTES} bytes; asked for ${byteLength}.`,
    );
  }
  const pages = Math.max(1, Math.ceil(byteLength / WASM_PAGE_BYTES));
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return viewNativeMemory(memory);
  } catch (cause) {
    throw new SluiceError(
      'budget-too-small',
      `The operating system refused ${byteLength} bytes of memory. Lower the budget or close other models.`,
      { byteLength },
      { cause },
    );
  }
}

/** The same block in another thread, from the memory object posted to it. */
export function viewNativeMemory(memory: WebAssembly.Memory): NativeMemory {
  const bytes = new Uint8Array(memory.buffer);
  return { memory, bytes, address: koffi.address(bytes) };
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

/** Asks for 2 MiB pages (fewer page-table walks, cheaper direct reads). Advice only; returns whether it was taken. */
export function adviseHugePages(memory: NativeMemory): boolean {
  return madvise(memory, MADV_HUGEPAGE);
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
