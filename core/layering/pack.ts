import { createHash } from 'node:crypto';
import { closeSync, read } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { openBelow } from '../base';
import { SluiceError } from '../contract';
import { readTensorBytes, tensorDataBytes, type OnnxTensor } from '../onnx';
import { alignUp, ioError } from '../storage';
import type { WeightRecord } from './manifest';
import { storedDims } from './layer-graph';
import type { LayerDraft, WeightDraft } from './partition';

/** AVX-512 loads want weights aligned to this. */
const WEIGHT_ALIGNMENT = 64;
const COPY_BYTES = 4 << 20;
const readInto = promisify(read);
/** A transposed weight is written in panels of at most this size. */
const PANEL_BYTES = 32 << 20;

export interface PackedLayer {
  readonly fileOffset: number;
  readonly byteLength: number;
  readonly sha256: string;
  readonly weights: readonly WeightRecord[];
}

export interface PackProgress {
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Writes all weights in execution order into one file: a block a layer, blocks at multiples of 4096, weights at
 * multiples of 64. A weight used by several layers is stored with the first. Memory: one panel.
 * @throws SluiceError `io` (e.g. disk full), `cancelled`.
 */
export async function packWeights(
  layers: readonly LayerDraft[],
  path: string,
  progress: PackProgress,
): Promise<PackedLayer[]> {
  const file = await open(path, 'wx').catch((error: unknown) => {
    throw ioError(`Can't create ${path}`, error);
  });
  try {
    const writer = new BlockWriter(file, path, progress);
    const places = new Map<string, WeightRecord>();
    const packed: PackedLayer[] = [];
    for (const layer of layers) packed.push(await packLayer(layer, writer, places));
    await file.sync();
    return packed;
  } catch (error) {
    throw ioError(`Can't write ${path}`, error);
  } finally {
    await file.close();
  }
}

async function packLayer(
  layer: LayerDraft,
  writer: BlockWriter,
  places: Map<string, WeightRecord>,
): Promise<PackedLayer> {
  const fileOffset = writer.position;
  writer.startBlock();
  const records: WeightRecord[] = [];
  for (const weight of inBlockOrder(layer)) {
    const { name, dtype } = weight.tensor;
    let record = places.get(name);
    if (!record) {
      await writer.pad(WEIGHT_ALIGNMENT);
      const start = writer.position;
      for await (const bytes of weightBytes(weight)) await writer.write(bytes);
      record = {
        name,
        dtype,
        dims: [...storedDims(weight)],
        fileOffset: start,
        byteLength: writer.position - start,
      };
      places.set(name, record);
    }
    records.push(record);
  }
  await writer.pad(alignUp(1));
  return {
    fileOffset,
    byteLength: writer.position - fileOffset,
    sha256: writer.endBlock(),
    weights: records,
  };
}

/** The weight that may be tiled or read by the row comes first, at the block's aligned start. */
function inBlockOrder(layer: LayerDraft): readonly WeightDraft[] {
  const first = layer.tiling?.weight ?? layer.gather?.weight;
  return [...layer.weights].sort((a, b) => Number(b.tensor.name === first) - Number(a.tensor.name === first));
}

class BlockWriter {
  position = 0;
  private hash = createHash('sha256');

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    private readonly progress: PackProgress,
  ) {}

  startBlock(): void {
    this.hash = createHash('sha256');
  }

  endBlock(): string {
    return this.hash.digest('hex');
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.progress.signal?.aborted)
      throw new SluiceError('cancelled', `Writing ${this.path} was cancelled.`);
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesWritten } = await this.file.write(
        bytes,
        done,
        bytes.byteLength - done,
        this.position + done,
      );
      done += bytesWritten;
    }
    this.hash.update(bytes);
    this.position += bytes.byteLength;
    this.progress.onBytes(bytes.byteLength);
  }

  async pad(alignment: number): Promise<void> {
    const missing = alignUp(this.position, alignment) - this.position;
    if (missing > 0) await this.write(new Uint8Array(missing));
  }
}

async function* weightBytes(weight: WeightDraft): AsyncGenerator<Uint8Array> {
  if (weight.transpose) yield* transposedPanels(weight.tensor);
  else yield* tensorChunks(weight.tensor);
}

async function* tensorChunks(tensor: OnnxTensor): AsyncGenerator<Uint8Array> {
  const { data } = tensor;
  if (data.kind !== 'file') {
    yield await readTensorBytes(tensor);
    return;
  }
  const fd = openBelow(data.path, data.folders);
  try {
    for (let done = 0; done < data.byteLength;) {
      const buffer = new Uint8Array(Math.min(COPY_BYTES, data.byteLength - done));
      const { bytesRead } = await readInto(fd, buffer, 0, buffer.byteLength, data.offset + done);
      if (bytesRead === 0) {
        throw new SluiceError('io', `${data.path} ended while its tensor ${tensor.name} was read.`, {
          path: data.path,
        });
      }
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    closeSync(fd);
  }
}

/** [K, N] float32 as [N, K], some rows of the result at a time; each panel reads the tensor once. */
async function* transposedPanels(tensor: OnnxTensor): AsyncGenerator<Uint8Array> {
  const [innerRows = 0, columns = 0] = tensor.dims;
  const panelColumns = Math.max(1, Math.min(columns, Math.floor(PANEL_BYTES / (4 * innerRows))));
  for (let first = 0; first < columns; first += panelColumns) {
    const width = Math.min(panelColumns, columns - first);
    const panel = new Float32Array(width * innerRows);
    let done = 0;
    let carry = new Uint8Array(0);
    for await (const chunk of tensorChunks(tensor)) {
      const bytes = joined(carry, chunk);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
      scatter(values, done, { columns, innerRows, first, width }, panel);
      done += values.length;
      carry = bytes.slice(4 * values.length);
    }
    yield new Uint8Array(panel.buffer);
  }
}

function joined(carry: Uint8Array, chunk: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(carry.byteLength + chunk.byteLength);
  bytes.set(carry);
  bytes.set(chunk, carry.byteLength);
  return bytes;
}

/** Puts values (a run of the row-major source starting at element `done`) into their places of the panel. */
function scatter(
  values: Float32Array,
  done: number,
  shape: { columns: number; innerRows: number; first: number; width: number },
  panel: Float32Array,
): void {
  const { columns, innerRows, first, width } = shape;
  let row = Math.floor(done / columns);
  let column = done - row * columns;
  for (let index = 0; index < values.length;) {
    if (column >= first && column < first + width)
      panel[(column - first) * innerRows + row] = values[index] ?? 0;
    index += 1;
    column += 1;
    if (column === columns) {
      column = 0;
      row += 1;
    }
  }
}

/** Bytes of all weights before padding, for progress. */
export function plannedBytes(layers: readonly LayerDraft[]): number {
  const tensors = new Set(layers.flatMap((layer) => layer.weights.map((weight) => weight.tensor)));
  return [...tensors].reduce((sum, tensor) => sum + tensorDataBytes(tensor), 0);
}
