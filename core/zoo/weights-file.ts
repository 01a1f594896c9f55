import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SluiceError } from '../contract';
import { readTensorBytes } from '../onnx';
import type { Attribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from '../onnx';
import { isSeededTensor, seededByteLength, seededChunks } from './seeded-tensor';

/** Smaller tensors stay in the graph, as PyTorch's external-data export has it. */
const INLINE_BELOW_BYTES = 1024;
/** Large tensors start on pages, so that runtimes can map them. */
const PAGE_BYTES = 4096;
const SMALL_ALIGNMENT_BYTES = 64;

/**
 * Generates every larger seeded tensor of `model` into a file, about 2 MiB at a time, and copies initializers
 * that stand in other files. The file appears at `path` only when complete; without any such tensor there is none.
 * @param path absolute; the returned tensors refer to it.
 * @returns the model with `file` data in place of those tensors; `model` itself is not changed.
 * @throws SluiceError `io` when the file can't be written (disk full, no such folder), `cancelled`.
 */
export async function streamWeights(
  model: OnnxModel,
  path: string,
  signal?: AbortSignal,
): Promise<OnnxModel> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    const { graph, bytes } = await writeWeights(model.graph, { partial, path, signal });
    if (bytes > 0) await rename(partial, path);
    else await rm(partial);
    return { ...model, graph };
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof SluiceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Writing the weights of ${model.graph.name} to ${path} failed: ${reason}; free space or choose another folder`;
    throw new SluiceError('io', message, { path }, { cause });
  }
}

interface Target {
  /** Where the bytes go while they are written. */
  readonly partial: string;
  /** Where they will be, and tensors say they are. */
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

async function writeWeights(graph: OnnxGraph, target: Target): Promise<{ graph: OnnxGraph; bytes: number }> {
  const file = await open(target.partial, 'w');
  try {
    const writer = new WeightsWriter(file, target);
    return { graph: await writer.externalize(graph), bytes: writer.bytes };
  } finally {
    await file.close();
  }
}

class WeightsWriter {
  private position = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly target: Target,
  ) {}

  /** Written so far, gaps included. */
  get bytes(): number {
    return this.position;
  }

  async externalize(graph: OnnxGraph): Promise<OnnxGraph> {
    const initializers: OnnxTensor[] = [];
    for (const tensor of graph.initializers) initializers.push(await this.place(tensor));
    const nodes: OnnxNode[] = [];
    for (const node of graph.nodes) {
      const attributes: Attribute[] = [];
      for (const attribute of node.attributes) {
        const isGraph = attribute.type === 'graph';
        attributes.push(
          isGraph ? { ...attribute, value: await this.externalize(attribute.value) } : attribute,
        );
      }
      nodes.push({ ...node, attributes });
    }
    return { ...graph, initializers, nodes };
  }

  private async place(tensor: OnnxTensor): Promise<OnnxTensor> {
    if (isSeededTensor(tensor)) {
      const byteLength = seededByteLength(tensor);
      return byteLength < INLINE_BELOW_BYTES ? tensor : this.write(tensor, byteLength, seededChunks(tensor));
    }
    if (tensor.data.kind !== 'file') return tensor;
    return this.write(tensor, tensor.data.byteLength, [await readTensorBytes(tensor)]);
  }

  private async write(
    { name, dtype, dims }: OnnxTensor,
    byteLength: number,
    chunks: Iterable<Uint8Array>,
  ): Promise<OnnxTensor> {
    const alignment = byteLength >= PAGE_BYTES ? PAGE_BYTES : SMALL_ALIGNMENT_BYTES;
    const offset = Math.ceil(this.position / alignment) * alignment;
    this.position = offset;
    for (const chunk of chunks) {
      if (this.target.signal?.aborted) {
        throw new SluiceError(
          'cancelled',
          `Writing ${this.target.path} was cancelled at byte ${this.position}.`,
        );
      }
      await writeAll(this.file, chunk, this.position);
      this.position += chunk.byteLength;
    }
    return { name, dtype, dims, data: { kind: 'file', path: this.target.path, offset, byteLength } };
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}
