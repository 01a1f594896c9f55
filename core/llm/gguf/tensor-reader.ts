import { closeSync, openSync } from 'node:fs';
import { SluiceError } from '../../contract';
import { ioError, readFully } from '../../storage';
import { dequantise, requireReadable } from './dequantise';
import type { GgmlType } from './ggml-types';
import { badGguf } from './gguf-cursor';
import type { GgufFile } from './read-gguf';
import type { GgufTensor } from './tensor-info';

/** Rows of a matrix as they stand in the file. */
export interface StoredMatrix {
  readonly type: GgmlType;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

/** Reads tensors of a GGUF file, each checked against the shape its reader expects. Close it after use. */
export class TensorReader {
  private readonly fd: number;

  /** @throws SluiceError `io`. */
  constructor(private readonly gguf: GgufFile) {
    try {
      this.fd = openSync(gguf.path, 'r');
    } catch (cause) {
      throw ioError(`Can't open ${gguf.path}`, cause);
    }
  }

  has(name: string): boolean {
    return this.gguf.tensors.has(name);
  }

  /** @throws SluiceError `bad-model` (missing, other shape), `unsupported` (quantisation), `io`. */
  matrix(name: string, rows: number, columns: number): StoredMatrix {
    const tensor = this.require(name, [rows, columns]);
    return { type: tensor.type, rows, columns, bytes: this.read(tensor, 0, tensor.byteLength) };
  }

  vector(name: string, length: number): Float32Array {
    const tensor = this.require(name, [length]);
    const values = new Float32Array(length);
    dequantise(tensor.type, this.read(tensor, 0, tensor.byteLength), values);
    return values;
  }

  /** One row of a matrix, written to `out`. */
  row(name: string, index: number, out: Float32Array): void {
    const tensor = this.gguf.tensors.get(name) ?? this.missing(name, []);
    const rowBytes = (out.length / tensor.type.blockElements) * tensor.type.blockBytes;
    dequantise(tensor.type, this.read(tensor, index * rowBytes, rowBytes), out);
  }

  close(): void {
    closeSync(this.fd);
  }

  /** The tensor, if it has this shape and can be read. */
  require(name: string, dims: readonly number[]): GgufTensor {
    const { path: file, tensors } = this.gguf;
    const tensor = tensors.get(name) ?? this.missing(name, dims);
    const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;
    if (shape(tensor.dims) !== shape(dims)) {
      throw badGguf(file, `tensor '${name}': expected shape ${shape(dims)}, found ${shape(tensor.dims)}`, {
        tensor: name,
      });
    }
    requireReadable(file, tensor);
    return tensor;
  }

  private missing(name: string, dims: readonly number[]): never {
    throw badGguf(this.gguf.path, `expected a tensor '${name}' [${dims.join(', ')}], found none`, {
      tensor: name,
    });
  }

  private read(tensor: GgufTensor, from: number, byteLength: number): Uint8Array {
    const bytes = new Uint8Array(byteLength);
    const { path: file } = this.gguf;
    let read: number;
    try {
      read = readFully(this.fd, bytes, byteLength, tensor.offset + from);
    } catch (cause) {
      throw ioError(`Can't read tensor '${tensor.name}' of ${file}`, cause);
    }
    if (read === byteLength) return bytes;
    throw new SluiceError('io', `${file} became shorter while tensor '${tensor.name}' was read.`, { file });
  }
}
