import type { GgufCursor } from './gguf-cursor';

/** A number past 2^53 is a bigint. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

type NumberArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

export interface GgufArray {
  /** `float32`, `string`, `array`, ... */
  readonly elementType: string;
  readonly values: NumberArray | readonly GgufValue[];
}

/** Chat templates are the longest strings in use: some tens of KiB. */
const MAX_STRING_BYTES = 16 << 20;
/** Files in use nest one array at most. */
const MAX_DEPTH = 4;
/** About what an array and an element of it cost when they are no numbers. */
const ARRAY_COST_BYTES = 64;
const ELEMENT_COST_BYTES = 16;
/** An array of arrays is the smallest of the elements whose size varies: its type and its count. */
const MIN_ARRAY_BYTES = 12;
const MIN_STRING_BYTES = 8;

type NumberArrayMaker = new (buffer: ArrayBuffer) => NumberArray;
interface FixedType {
  readonly name: string;
  readonly bytes: number;
  readonly Array?: NumberArrayMaker;
}
/** By the numbers of `gguf_metadata_value_type`. */
const FIXED_TYPES: ReadonlyMap<number, FixedType> = new Map([
  [0, { name: 'uint8', bytes: 1, Array: Uint8Array }],
  [1, { name: 'int8', bytes: 1, Array: Int8Array }],
  [2, { name: 'uint16', bytes: 2, Array: Uint16Array }],
  [3, { name: 'int16', bytes: 2, Array: Int16Array }],
  [4, { name: 'uint32', bytes: 4, Array: Uint32Array }],
  [5, { name: 'int32', bytes: 4, Array: Int32Array }],
  [6, { name: 'float32', bytes: 4, Array: Float32Array }],
  [7, { name: 'bool', bytes: 1 }],
  [10, { name: 'uint64', bytes: 8 }],
  [11, { name: 'int64', bytes: 8 }],
  [12, { name: 'float64', bytes: 8, Array: Float64Array }],
]);
const STRING = 8;
const ARRAY = 9;

/** Reads a metadata value with its type in front. @param key for messages. */
export function readValue(cursor: GgufCursor, key: string): GgufValue {
  const start = cursor.offset;
  return readTyped(cursor, cursor.uint32(`the type of '${key}'`), { key, start, depth: 0 });
}

interface Place {
  readonly key: string;
  /** Where the type stands. */
  readonly start: number;
  readonly depth: number;
}

function readTyped(cursor: GgufCursor, type: number, place: Place): GgufValue {
  const what = `the value of '${place.key}'`;
  if (type === STRING) return cursor.string(what, MAX_STRING_BYTES);
  if (type === ARRAY) return readArray(cursor, place);
  const fixed = FIXED_TYPES.get(type) ?? unknownType(cursor, type, place);
  const bytes = cursor.bytes(fixed.bytes, what);
  if (fixed.name === 'bool') return readBool(cursor, bytes[0], place);
  if (fixed.Array) return new fixed.Array(bytes.buffer as ArrayBuffer)[0]!;
  return readInteger64(bytes, fixed.name === 'int64');
}

function readArray(cursor: GgufCursor, { key, depth }: Place): GgufArray {
  if (depth >= MAX_DEPTH) cursor.fail(`arrays in '${key}' are nested more than ${MAX_DEPTH} deep`);
  const start = cursor.offset;
  const type = cursor.uint32(`the element type of '${key}'`);
  const place = { key, start, depth: depth + 1 };
  const fixed = FIXED_TYPES.get(type);
  if (!fixed && type !== STRING && type !== ARRAY) unknownType(cursor, type, place);
  const elementBytes = fixed?.bytes ?? (type === STRING ? MIN_STRING_BYTES : MIN_ARRAY_BYTES);
  // No array can have more elements than fit into the rest of the file.
  const length = cursor.count(
    `a number of elements in '${key}'`,
    Math.floor(Math.max(0, cursor.bytesLeft - 8) / elementBytes),
  );
  cursor.charge(ARRAY_COST_BYTES);
  if (fixed?.Array) {
    const bytes = cursor.bytes(length * elementBytes, `'${key}'`);
    return { elementType: fixed.name, values: new fixed.Array(bytes.buffer as ArrayBuffer) };
  }
  cursor.charge(length * ELEMENT_COST_BYTES);
  const values: GgufValue[] = [];
  for (let index = 0; index < length; index += 1) values.push(readTyped(cursor, type, place));
  return { elementType: fixed?.name ?? (type === STRING ? 'string' : 'array'), values };
}

function unknownType(cursor: GgufCursor, type: number, { key, start }: Place): never {
  return cursor.fail(`'${key}' has value type ${type}; GGUF knows 0 to 12`, start);
}

function readBool(cursor: GgufCursor, byte: number | undefined, { key }: Place): boolean {
  if (byte === 0 || byte === 1) return byte === 1;
  return cursor.fail(`expected '${key}' to be 0 or 1, found ${byte ?? 'nothing'}`, cursor.offset - 1);
}

function readInteger64(bytes: Uint8Array, signed: boolean): number | bigint {
  const view = new DataView(bytes.buffer);
  const value = signed ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
