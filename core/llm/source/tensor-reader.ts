import { closeSync, openSync } from 'node:fs';
import { SluiceError } from '../../contract';
import { ioError, readFully } from '../../storage';
import { dequantise, requireReadable } from '../gguf/dequantise';
import type { GgmlType } from '../gguf/ggml-types';
import { badModel } from './model-errors';
import type { StoredTensor, TensorSource } from './model-source';

/** Rows of a matrix as they stand in the file. */
export interface StoredMatrix {
  readonly type: GgmlType;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

/** Rows [first, first + count) of a matrix. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** What the parts of a decoder ask for their weights. */
export interface WeightReader {
  has(name: string): boolean;
  /** @throws SluiceError `bad-model` (missing, other shape), `unsupported` (quantisation), `io`. */
  matrix(name: string, rows: number, columns: number): StoredMatrix;
  /** @throws SluiceError as `matrix`. */
  vector(name: string, length: number): Float32Array;
}

/** Reads tensors of a model, each checked against the shape its reader expects. Close it after use. */
export class TensorReader implements WeightReader {
  private readonly fds = new Map<string, number>();

  constructor(private readonly source: TensorSource) {}

  has(name: string): boolean {
    return this.source.tensors.has(name);
  }

  matrix(name: string, rows: number, columns: number): StoredMatrix {
    const tensor = requireTensor(this.source, name, [rows, columns]);
    return { type: tensor.type, rows, columns, bytes: this.read(tensor, 0, tensor.byteLength) };
  }

  /** Some rows of a matrix `[of, columns]`. @throws SluiceError as `matrix`. */
  rows(name: string, { first, count }: RowRange, of: number, columns: number): StoredMatrix {
    const tensor = requireTensor(this.source, name, [of, columns]);
    const rowBytes = (columns / tensor.type.blockElements) * tensor.type.blockBytes;
    const bytes = this.read(tensor, first * rowBytes, count * rowBytes);
    return { type: tensor.type, rows: count, columns, bytes };
  }

  vector(name: string, length: number): Float32Array {
    const tensor = requireTensor(this.source, name, [length]);
    const values = new Float32Array(length);
    dequantise(tensor.type, this.read(tensor, 0, tensor.byteLength), values);
    return values;
  }

  /** One row of a matrix that is there and as wide as `out`, written to it. */
  row(name: string, index: number, out: Float32Array): void {
    const tensor = this.source.tensors.get(name)!;
    const rowBytes = (out.length / tensor.type.blockElements) * tensor.type.blockBytes;
    dequantise(tensor.type, this.read(tensor, index * rowBytes, rowBytes), out);
  }

  close(): void {
    for (const fd of this.fds.values()) closeSync(fd);
    this.fds.clear();
  }

  private read({ name, file, offset }: StoredTensor, from: number, byteLength: number): Uint8Array {
    const bytes = new Uint8Array(byteLength);
    let read: number;
    try {
      read = readFully(this.opened(file), bytes, byteLength, offset + from);
    } catch (cause) {
      throw ioError(`Can't read tensor '${name}' of ${file}`, cause);
    }
    if (read === byteLength) return bytes;
    throw new SluiceError('io', `${file} became shorter while tensor '${name}' was read.`, { file });
  }

  private opened(file: string): number {
    const known = this.fds.get(file);
    if (known !== undefined) return known;
    const fd = openSync(file, 'r');
    this.fds.set(file, fd);
    return fd;
  }
}

/**
 * The tensor, if it has this shape and can be read.
 * @throws SluiceError `bad-model` (missing, other shape), `unsupported` (quantisation).
 */
function requireTensor(source: TensorSource, name: string, dims: readonly number[]): StoredTensor {
  const fault = tensorFault(source, name, dims);
  if (fault !== undefined) throw badModel(source, fault, { tensor: source.tensorName(name) });
  const tensor = source.tensors.get(name)!;
  requireReadable(source.path, tensor);
  return tensor;
}

/** What is wrong with the place of a tensor; undefined when it has this shape. */
export function tensorFault(
  { tensors, tensorName }: TensorSource,
  name: string,
  dims: readonly number[],
): string | undefined {
  const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;
  const tensor = tensors.get(name);
  if (!tensor) return `expected a tensor '${tensorName(name)}' ${shape(dims)}, found none`;
  if (shape(tensor.dims) === shape(dims)) return undefined;
  return `tensor '${tensor.name}': expected shape ${shape(dims)}, found ${shape(tensor.dims)}`;
}
