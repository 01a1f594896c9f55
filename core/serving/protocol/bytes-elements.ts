/** Bytes before each element that tell its length. */
const LENGTH_BYTES = 4;

/** `BYTES` elements as one row of bytes: each after its length, an unsigned little-endian 32-bit number. */
export function joinBytesElements(elements: readonly Uint8Array[]): Uint8Array {
  const total = elements.reduce((sum, element) => sum + LENGTH_BYTES + element.byteLength, 0);
  const joined = new Uint8Array(total);
  const view = new DataView(joined.buffer);
  let offset = 0;
  for (const element of elements) {
    view.setUint32(offset, element.byteLength, true);
    joined.set(element, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + element.byteLength;
  }
  return joined;
}

/** The elements again, as views of `bytes`, which must be free of faults (`bytesElementsFault`). */
export function splitBytesElements(bytes: Uint8Array): readonly Uint8Array[] {
  const elements: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.byteLength;) {
    const end = elementEnd(bytes, offset);
    elements.push(bytes.subarray(offset + LENGTH_BYTES, end));
    offset = end;
  }
  return elements;
}

/** Why the bytes are not `count` elements; undefined when they are. */
export function bytesElementsFault(bytes: Uint8Array, count: number): string | undefined {
  let found = 0;
  for (let offset = 0; offset < bytes.byteLength; found += 1) {
    const end = offset + LENGTH_BYTES > bytes.byteLength ? Infinity : elementEnd(bytes, offset);
    if (end > bytes.byteLength) return `BYTES element ${found} at byte ${offset} goes past the end`;
    offset = end;
  }
  return found === count ? undefined : `expected ${count} BYTES elements, found ${found}`;
}

function elementEnd(bytes: Uint8Array, offset: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset + offset, LENGTH_BYTES).getUint32(0, true);
  return offset + LENGTH_BYTES + length;
}
