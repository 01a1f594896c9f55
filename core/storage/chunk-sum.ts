import { MEMORY_IMPORT, wasm, wasmModule, type WasmType } from './wasm-assembler';

/** Chunks are summed in steps of so many bytes. */
const STRIPE_BYTES = 128;
const VECTOR_BYTES = 16;
const VECTORS = STRIPE_BYTES / VECTOR_BYTES;

/** 2^32 and 2^64 over the golden ratio: odd, without a pattern. Constants of the format on disk, as all below. */
const WORD_FACTOR = 0x9e3779b1;
const FOLD_FACTOR = 0x9e3779b97f4a7c15n;
/** Moves the byte that a product mixes best, the highest of a lane, to the lowest of the lane before the next. */
const ROTATE_BY = 7;

const AT = 0;
const END = 1;
const STATE = 2;
const FOLDED = STATE + VECTORS;

/**
 * A 64-bit sum of a chunk, in place in a shared memory.
 *
 * The state is 8 vectors of 4 words of 32 bits; a stripe of 128 bytes is taken in vector by vector, from the last to
 * the first: `s[k] = (s[k] ^ data[k]) * factor + rotate(s[k - 1])`. Each of these steps can be undone, for known data
 * in the state as for a known state in the data, so two chunks that differ in one stripe alone never have the same
 * state at the end, and a difference can vanish only if later stripes differ by just what it has become. The state is
 * then folded into 64 bits, the only place where a difference can be lost by chance: 1 in 2^64 for flipped bits and
 * for sectors that hold something else. Patterns that cancel out can be made on purpose; this is no signature.
 */
export class ChunkSum {
  private readonly sumOf: (at: number, end: number) => bigint;

  constructor(memory: WebAssembly.Memory) {
    const imports = { [MEMORY_IMPORT.module]: { [MEMORY_IMPORT.name]: memory } };
    const { exports } = new WebAssembly.Instance(compiledModule(), imports);
    this.sumOf = exports['sum'] as (at: number, end: number) => bigint;
  }

  /** @param byteOffset in the memory, a multiple of 16. @param byteLength a multiple of 128, more than 0. */
  sum(byteOffset: number, byteLength: number): bigint {
    // Addresses are 32 bits: the end of a memory of 4 GiB is 0, which the comparison for equality bears.
    return BigInt.asUintN(64, this.sumOf(byteOffset | 0, (byteOffset + byteLength) | 0));
  }
}

let compiled: WebAssembly.Module | undefined;

function compiledModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(chunkSumModule());
  return compiled;
}

/** The bytes of the module that sums. */
function chunkSumModule(): Uint8Array {
  const vectors = Array.from({ length: VECTORS }, (_, k) => k);
  const start = vectors.map((k) => [...wasm.v128Const(startVector(k)), ...wasm.localSet(STATE + k)]);
  const isNotAtEnd = [
    ...wasm.localGet(AT),
    ...wasm.i32Const(STRIPE_BYTES),
    ...wasm.i32Add,
    ...wasm.localTee(AT),
    ...wasm.localGet(END),
    ...wasm.i32Ne,
  ];
  return wasmModule({
    name: 'sum',
    params: ['i32', 'i32'],
    result: 'i64',
    locals: [...vectors.map((): WasmType => 'v128'), 'i64'],
    body: [
      ...start,
      wasm.loopWhile(...[...vectors].reverse().map(takeVector), isNotAtEnd),
      ...vectors.flatMap((k) => [foldLane(k, 0), foldLane(k, 1)]),
      wasm.localGet(FOLDED),
    ],
  });
}

/** `s[k] = (s[k] ^ data[k]) * factor + rotate(s[k - 1])`. */
function takeVector(k: number): number[] {
  const before = STATE + ((k + VECTORS - 1) % VECTORS);
  return [
    ...wasm.localGet(STATE + k),
    ...wasm.localGet(AT),
    ...wasm.v128Load(k * VECTOR_BYTES),
    ...wasm.v128Xor,
    ...wasm.v128Const(wordBytes([WORD_FACTOR, WORD_FACTOR, WORD_FACTOR, WORD_FACTOR])),
    ...wasm.i32x4Mul,
    ...wasm.localGet(before),
    ...wasm.localGet(before),
    ...wasm.i8x16Shuffle(Array.from({ length: VECTOR_BYTES }, (_, at) => (at + ROTATE_BY) % VECTOR_BYTES)),
    ...wasm.i32x4Add,
    ...wasm.localSet(STATE + k),
  ];
}

/** `folded = (folded ^ lane) * factor; folded ^= folded >>> 32`. */
function foldLane(k: number, lane: 0 | 1): number[] {
  return [
    ...wasm.localGet(FOLDED),
    ...wasm.localGet(STATE + k),
    ...wasm.i64x2ExtractLane(lane),
    ...wasm.i64Xor,
    ...wasm.i64Const(FOLD_FACTOR),
    ...wasm.i64Mul,
    ...wasm.localTee(FOLDED),
    ...wasm.localGet(FOLDED),
    ...wasm.i64Const(32n),
    ...wasm.i64ShrU,
    ...wasm.i64Xor,
    ...wasm.localSet(FOLDED),
  ];
}

/** All words of the first state differ, so that zeros have a sum like any other content. */
function startVector(k: number): number[] {
  return wordBytes([1, 2, 3, 4].map((lane) => Math.imul(WORD_FACTOR, 4 * k + lane)));
}

function wordBytes(words: readonly number[]): number[] {
  return words.flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);
}
