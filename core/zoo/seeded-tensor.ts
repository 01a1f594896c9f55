import { elementCount, tensorBytes } from '../onnx';
import type { DataType, OnnxTensor } from '../onnx';
import { elementEncoding } from './element-encoding';

/** Uniform values of this mean and standard deviation; `std` 0 is a constant. */
export interface Fill {
  readonly mean: number;
  readonly std: number;
}

/**
 * A tensor whose values follow from its name and a seed and are not held in memory. Reading `data` generates
 * all of it anew (inline); `seededChunks` generates it piece by piece, which is how large networks are written.
 */
export interface SeededTensor extends OnnxTensor {
  readonly fill: Fill;
  readonly seed: number;
  /** False for statistics (batch-norm running mean and variance), which published parameter counts leave out. */
  readonly trainable: boolean;
}

export interface SeededTensorSpec {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly fill: Fill;
  readonly seed: number;
  readonly trainable?: boolean;
}

/** @throws SluiceError `unsupported` when the element type can't be generated. */
export function seededTensor(spec: SeededTensorSpec): SeededTensor {
  elementEncoding(spec.dtype);
  return {
    trainable: true,
    ...spec,
    get data() {
      return { kind: 'inline' as const, bytes: allBytes(this) };
    },
  };
}

export function isSeededTensor(tensor: OnnxTensor): tensor is SeededTensor {
  return 'fill' in tensor && 'seed' in tensor;
}

export function seededByteLength(tensor: SeededTensor): number {
  return tensorBytes(tensor.dtype, tensor.dims);
}

const CHUNK_ELEMENTS = 1 << 18;

/**
 * The tensor's bytes in order, in pieces of at most 2 MiB. Every piece is a view of one buffer that the next
 * piece overwrites: finish with it (write it out) before asking for the next.
 */
export function* seededChunks(tensor: SeededTensor): Generator<Uint8Array, void, void> {
  const encoding = elementEncoding(tensor.dtype);
  const total = elementCount(tensor.dims);
  const values = new Float32Array(Math.min(total, CHUNK_ELEMENTS));
  const bytes = new Uint8Array(values.length * encoding.bytesPerElement);
  const next = uniformSource(tensor);
  for (let done = 0; done < total; done += values.length) {
    const piece = values.subarray(0, Math.min(values.length, total - done));
    next(piece);
    encoding.encode(piece, bytes);
    yield bytes.subarray(0, piece.length * encoding.bytesPerElement);
  }
}

function allBytes(tensor: SeededTensor): Uint8Array {
  const all = new Uint8Array(seededByteLength(tensor));
  let offset = 0;
  for (const chunk of seededChunks(tensor)) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
}

/**
 * A xorshift32 stream (Marsaglia 2003) scaled to the fill. The tensor's name picks the stream, so values don't
 * depend on the order tensors are generated in. About 1 ns a value: VGG-16 has 138 million of them.
 */
function uniformSource(tensor: SeededTensor): (target: Float32Array) => void {
  const { mean, std } = tensor.fill;
  const scale = (std * Math.sqrt(3)) / 2 ** 31;
  let state = streamState(tensor.name, tensor.seed);
  return (target) => {
    let s = state;
    for (let i = 0; i < target.length; i += 1) {
      s ^= s << 13;
      s ^= s >>> 17;
      s ^= s << 5;
      target[i] = mean + s * scale;
    }
    state = s;
  };
}

/** FNV-1a of the name, mixed with the seed by MurmurHash3's finaliser; never 0, which xorshift can't leave. */
function streamState(name: string, seed: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash ^= Math.imul(seed | 0, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16) || 0x6d2b79f5;
}
