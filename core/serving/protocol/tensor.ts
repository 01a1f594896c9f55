import { bytesElementsFault } from './bytes-elements';
import { datatypeBytes } from './datatype';
import type { Datatype } from './datatype';

/**
 * A dense tensor as the protocol carries it: row-major, little-endian, `BOOL` one byte an element, `BYTES` each element
 * after its length (4 bytes). Whoever made it owns `bytes`; a reader must not write them.
 */
export interface OipTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A tensor a model takes or gives. `-1` marks a dimension that is free until run time. */
export interface OipTensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCountOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** `[1, 3, ?, ?]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.map((dim) => (dim < 0 ? '?' : String(dim))).join(', ')}]`;
}

/** Why the bytes can't be a tensor of that type and shape; undefined when they can. */
export function bytesFault(
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
): string | undefined {
  const count = elementCountOf(shape);
  const size = datatypeBytes(datatype);
  if (size === 0) return bytesElementsFault(bytes, count);
  if (bytes.byteLength === count * size) return undefined;
  return `${datatype} ${shapeText(shape)} takes ${count * size} bytes, found ${bytes.byteLength}`;
}
