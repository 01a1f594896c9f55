/** Writes GGUF files for tests, sound ones and, by hand-picked fields, damaged ones. */
const TYPE_IDS = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;
export type GgufTypeName = keyof typeof TYPE_IDS;

export interface TestTensor {
  readonly name: string;
  /** Row-major; written in reverse, as GGUF has it. */
  readonly dims: readonly number[];
  readonly typeId: number;
  readonly bytes: Uint8Array;
  /** From the start of the data; that of the next free place when absent. */
  readonly offset?: number;
}

export interface TestGguf {
  readonly version?: number;
  readonly alignment?: number;
  readonly metadata?: readonly (readonly [
    key: string,
    type: GgufTypeName,
    value: unknown,
    element?: GgufTypeName,
  ])[];
  readonly tensors?: readonly TestTensor[];
}

export function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
export function uint64(value: number | bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}
export function ggufString(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

export function ggufBytes(file: TestGguf): Uint8Array {
  const { version = 3, alignment = 32, metadata = [], tensors = [] } = file;
  const padded = (length: number): number => Math.ceil(length / alignment) * alignment;
  const infos: Uint8Array[] = [];
  const placed: { offset: number; bytes: Uint8Array }[] = [];
  let end = 0;
  for (const tensor of tensors) {
    const offset = tensor.offset ?? padded(end);
    end = Math.max(end, offset + tensor.bytes.length);
    placed.push({ offset, bytes: tensor.bytes });
    infos.push(
      ggufString(tensor.name),
      uint32(tensor.dims.length),
      ...[...tensor.dims].reverse().map(uint64),
      uint32(tensor.typeId),
      uint64(offset),
    );
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(version),
    uint64(tensors.length),
    uint64(metadata.length),
    ...metadata.flatMap(([key, type, value, element]) => [
      ggufString(key),
      uint32(TYPE_IDS[type]),
      ggufValue(type, value, element),
    ]),
    ...infos,
  ]);
  const bytes = new Uint8Array(padded(header.length) + padded(end));
  bytes.set(header);
  for (const tensor of placed) bytes.set(tensor.bytes, padded(header.length) + tensor.offset);
  return bytes;
}

function ggufValue(type: GgufTypeName, value: unknown, element: GgufTypeName = 'string'): Uint8Array {
  switch (type) {
    case 'string':
      return ggufString(value as string);
    case 'array': {
      const items = value as readonly unknown[];
      const body = items.map((item) => ggufValue(element, item));
      return Buffer.concat([uint32(TYPE_IDS[element]), uint64(items.length), ...body]);
    }
    case 'uint64':
    case 'int64':
      return uint64(BigInt.asUintN(64, BigInt(value as number | bigint)));
    case 'bool':
      return Uint8Array.of(Number(value));
    default:
      return fixedValue(type, Number(value));
  }
}

function fixedValue(type: GgufTypeName, value: number): Uint8Array {
  const arrays: Partial<Record<GgufTypeName, { of(...values: number[]): ArrayBufferView }>> = {
    uint8: Uint8Array,
    int8: Int8Array,
    uint16: Uint16Array,
    int16: Int16Array,
    uint32: Uint32Array,
    int32: Int32Array,
    float32: Float32Array,
    float64: Float64Array,
  };
  const array = arrays[type]!.of(value);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
