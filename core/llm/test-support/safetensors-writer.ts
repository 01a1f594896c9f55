/** Writes safetensors files for tests, sound ones and, by hand-picked fields, damaged ones. */
export interface TestSafeTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Those of the next free place when absent. */
  readonly offsets?: readonly [begin: number, end: number];
}

export function safetensorsBytes(tensors: readonly TestSafeTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes, offsets }) => {
    const place = offsets ?? [end, end + bytes.length];
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: place }] as const;
  });
  const header = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  return withHeader(header, Buffer.concat(tensors.map(({ bytes }) => bytes)));
}

/** @param byteLength of the header as the file says it. */
export function withHeader(header: string, data: Uint8Array, byteLength?: number): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(byteLength ?? text.length));
  return Buffer.concat([length, text, data]);
}
