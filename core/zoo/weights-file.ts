import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SluiceError } from '../contract';
import type { Attribute, OnnxGraph, OnnxModel, OnnxTensor } from '../onnx';
import { isSeededTensor, seededByteLength, seededChunks } from './seeded-tensor';
import type { SeededTensor } from './seeded-tensor';

/** Smaller tensors stay in the graph, as PyTorch's external-data export has it. */
const INLINE_BELOW_BYTES = 1024;
/** Large tensors start on pages, so that runtimes can map them. */
const PAGE_BYTES = 4096;
const SMALL_ALIGNMENT_BYTES = 64;

/**
 * Generates every larger seeded tensor of `model` into a file, about 2 MiB at a time. The file appears at
 * `path` only when complete.
 * @param path absolute; the returned tensors refer to it.
 * @returns the model with `file` data in place of those tensors; `model` itself is not changed.
 * @throws SluiceError `io` when the file can't be written (disk full, no such folder).
 */
export async function streamWeights(model: OnnxModel, path: string): Promise<OnnxModel> {
  const partial = `${path}.partial`;
  try {
    const graph = await writeWeights(model.graph, partial, path);
    await rename(partial, path);
    return { ...model, graph };
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof SluiceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Writing the weights of ${model.graph.name} to ${path} failed: ${reason}`;
    throw new SluiceError('io', message, { path }, { cause });
  }
}

async function writeWeights(graph: OnnxGraph, partial: string, path: string): Promise<OnnxGraph> {
  const file = await open(partial, 'w');
  try {
    return await new WeightsWriter(file, path).externalize(graph);
  } finally {
    await file.close();
  }
}

class WeightsWriter {
  private position = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
  ) {}

  async externalize(graph: OnnxGraph): Promise<OnnxGraph> {
    const initializers: OnnxTensor[] = [];
    for (const tensor of graph.initializers) {
      const large = isSeededTensor(tensor) && seededByteLength(tensor) >= INLINE_BELOW_BYTES;
      initializers.push(large ? await this.write(tensor) : tensor);
    }
    const nodes = [];
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

  private async write(tensor: SeededTensor): Promise<OnnxTensor> {
    const byteLength = seededByteLength(tensor);
    const alignment = byteLength >= PAGE_BYTES ? PAGE_BYTES : SMALL_ALIGNMENT_BYTES;
    const offset = Math.ceil(this.position / alignment) * alignment;
    let position = offset;
    for (const chunk of seededChunks(tensor)) {
      await writeAll(this.file, chunk, position);
      position += chunk.byteLength;
    }
    this.position = position;
    const { name, dtype, dims } = tensor;
    return { name, dtype, dims, data: { kind: 'file', path: this.path, offset, byteLength } };
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}
