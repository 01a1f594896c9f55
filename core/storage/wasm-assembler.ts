/** Bytes of WebAssembly, written by name: as many instructions as the sum of a chunk needs, and a module around them. */
type Bytes = readonly number[];

const TYPES = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
export type WasmType = keyof typeof TYPES;

const SIMD_PREFIX = 0xfd;
/** Log 2 of the alignment that loads promise; 4 is 16 bytes. */
const ALIGNED_16 = 4;
const NO_RESULT = 0x40;

/** Instructions of the core specification (2.0, section 5.4), named as its text format names them. */
export const wasm = {
  localGet: (local: number): Bytes => [0x20, ...unsigned(local)],
  localSet: (local: number): Bytes => [0x21, ...unsigned(local)],
  localTee: (local: number): Bytes => [0x22, ...unsigned(local)],
  i32Const: (value: number): Bytes => [0x41, ...signed(BigInt(value | 0))],
  i32Add: [0x6a] as Bytes,
  i32Ne: [0x47] as Bytes,
  i64Const: (value: bigint): Bytes => [0x42, ...signed(BigInt.asIntN(64, value))],
  i64Mul: [0x7e] as Bytes,
  i64Xor: [0x85] as Bytes,
  i64ShrU: [0x88] as Bytes,
  v128Load: (offset: number): Bytes => simd(0, ALIGNED_16, ...unsigned(offset)),
  v128Const: (bytes: Bytes): Bytes => simd(12, ...lanes16(bytes)),
  i8x16Shuffle: (from: Bytes): Bytes => simd(13, ...lanes16(from)),
  i64x2ExtractLane: (lane: 0 | 1): Bytes => simd(29, lane),
  v128Xor: simd(81),
  i32x4Add: simd(174),
  i32x4Mul: simd(181),
  /** Runs its body, and again as long as the number that the body leaves is not 0. */
  loopWhile: (...body: readonly Bytes[]): Bytes => [0x03, NO_RESULT, ...body.flat(), 0x0d, 0, 0x0b],
} as const;

export interface WasmFunction {
  readonly name: string;
  readonly params: readonly WasmType[];
  readonly result: WasmType;
  /** Numbered behind the parameters, zero at first. */
  readonly locals: readonly WasmType[];
  readonly body: readonly Bytes[];
}

/** What `wasmModule` imports: a shared memory of any size. */
export const MEMORY_IMPORT = { module: 'host', name: 'memory' } as const;
const MAX_MEMORY_PAGES = 65_536;

/** A module of one exported function over an imported shared memory. */
export function wasmModule(func: WasmFunction): Uint8Array {
  const type = [0x60, ...vector(func.params.map(typeCode)), ...vector([typeCode(func.result)])];
  const sharedWithMaximum = 0x03;
  const limits = [sharedWithMaximum, 0, ...unsigned(MAX_MEMORY_PAGES)];
  const memory = [...text(MEMORY_IMPORT.module), ...text(MEMORY_IMPORT.name), 0x02, ...limits];
  const locals = func.locals.map((name): Bytes => [1, TYPES[name]]);
  const code = [...vector(locals), ...func.body.flat(), 0x0b];
  const functionIndex = 0;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [type]),
    ...section(2, [memory]),
    ...section(3, [[0]]),
    ...section(7, [[...text(func.name), 0x00, functionIndex]]),
    ...section(10, [[...unsigned(code.length), ...code]]),
  ]);
}

function typeCode(name: WasmType): Bytes {
  return [TYPES[name]];
}

function section(id: number, entries: readonly Bytes[]): Bytes {
  const content = vector(entries);
  return [id, ...unsigned(content.length), ...content];
}

function vector(entries: readonly Bytes[]): Bytes {
  return [...unsigned(entries.length), ...entries.flat()];
}

function text(value: string): Bytes {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

function simd(opcode: number, ...immediates: Bytes): Bytes {
  return [SIMD_PREFIX, ...unsigned(opcode), ...immediates];
}

function lanes16(bytes: Bytes): Bytes {
  if (bytes.length !== 16) throw new Error(`A vector constant has 16 bytes, not ${bytes.length}.`);
  return bytes;
}

/** LEB128. */
function unsigned(value: number): Bytes {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...unsigned(Math.floor(value / 0x80))];
}

function signed(value: bigint): Bytes {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
