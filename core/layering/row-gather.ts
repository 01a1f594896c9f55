import { join } from 'node:path';
import { SluiceError } from '../contract';
import { allocateNativeMemory, type NativeMemory } from '../ort';
import { createStreamTable, DIRECT_ALIGNMENT, alignUp, type ReaderPool, type StreamHandle } from '../storage';
import { WEIGHTS_FILE, type GatherRecord, type LayerRecord } from './manifest';
import { GATHER_BATCH_ROWS, gatherBufferBytes, gatherRowSpan } from './program';
import { waitForReads } from './weight-memory';

/** Counters are 32 bits; the stream starts anew long before they wrap. */
const MAX_BATCHES = 2 ** 24;

/** Copies rows of a table, given by index, one after the other. */
export interface RowSource {
  /** @param target receives `indices.length * rowBytes` bytes. @throws SluiceError `io`, `cancelled`. */
  copyRows(indices: readonly number[], target: Uint8Array, isCancelled: () => boolean): void;
  /** Bytes it holds for its table. */
  readonly memoryBytes: number;
  /** After a failed or cancelled inference: what it reads from is opened anew. */
  abandon(): void;
  /** Makes it usable again when it was abandoned. @throws SluiceError `io`; the next call tries again. */
  recover(): Promise<void>;
  close(): Promise<void>;
}

/** A table that is in memory. */
export function residentRows(table: Uint8Array, rowBytes: number): RowSource {
  return {
    memoryBytes: 0,
    abandon: () => undefined,
    recover: () => Promise.resolve(),
    copyRows: (indices, target) => {
      indices.forEach((row, at) =>
        target.set(table.subarray(row * rowBytes, (row + 1) * rowBytes), at * rowBytes),
      );
    },
    close: () => Promise.resolve(),
  };
}

/** A table on disk, of which only the rows asked for are read, a batch at a time, each row once a batch. */
export class StreamedRows implements RowSource {
  private batches = 0;
  private isAbandoned = false;

  private constructor(
    private readonly pool: ReaderPool,
    private handle: StreamHandle,
    private readonly memory: NativeMemory,
    private readonly layer: LayerRecord,
    private readonly gather: GatherRecord,
  ) {}

  static async open(
    pool: ReaderPool,
    storePath: string,
    layer: LayerRecord,
    gather: GatherRecord,
  ): Promise<StreamedRows> {
    const memory = allocateNativeMemory(gatherBufferBytes(gather.rowBytes));
    const shape = { operations: GATHER_BATCH_ROWS, readers: pool.readers, ticksPerInference: 1, rounds: 0 };
    const table = createStreamTable(shape, join(storePath, WEIGHTS_FILE), memory.memory);
    // One tick starts one batch.
    table.barrierTicks.fill(1);
    for (let slot = 0; slot < GATHER_BATCH_ROWS; slot += 1)
      table.destOffsets[slot] = slot * gatherRowSpan(gather.rowBytes);
    return new StreamedRows(pool, await pool.attach(table), memory, layer, gather);
  }

  get memoryBytes(): number {
    return this.memory.bytes.byteLength;
  }

  copyRows(indices: readonly number[], target: Uint8Array, isCancelled: () => boolean): void {
    const { rowBytes } = this.gather;
    const places = new Map<number, number[]>();
    indices.forEach((row, at) => places.set(row, [...(places.get(row) ?? []), at]));
    const rows = [...places.keys()].sort((a, b) => a - b);
    for (let first = 0; first < rows.length; first += GATHER_BATCH_ROWS) {
      const batch = rows.slice(first, first + GATHER_BATCH_ROWS);
      this.readBatch(batch, isCancelled);
      batch.forEach((row, slot) => {
        const start = slot * gatherRowSpan(rowBytes) + (this.rowOffset(row) % DIRECT_ALIGNMENT);
        const bytes = this.memory.bytes.subarray(start, start + rowBytes);
        for (const at of places.get(row) ?? []) target.set(bytes, at * rowBytes);
      });
    }
  }

  private readBatch(rows: readonly number[], isCancelled: () => boolean): void {
    const { table } = this.handle;
    for (let slot = 0; slot < GATHER_BATCH_ROWS; slot += 1) {
      const row = rows[slot];
      const offset = row === undefined ? 0 : this.rowOffset(row);
      const start = offset - (offset % DIRECT_ALIGNMENT);
      table.fileOffsets[slot] = start;
      table.byteLengths[slot] = row === undefined ? 0 : alignUp(offset + this.gather.rowBytes - start);
    }
    this.batches += 1;
    this.pool.advance(table, this.batches);
    const last = this.batches * GATHER_BATCH_ROWS - 1;
    waitForReads(table, this.pool.readers, last, () => this.layer.name, isCancelled);
  }

  private rowOffset(row: number): number {
    return tableOffset(this.layer, this.gather) + row * this.gather.rowBytes;
  }

  abandon(): void {
    this.isAbandoned = true;
  }

  async recover(): Promise<void> {
    const { table } = this.handle;
    if (!this.isAbandoned && this.batches < MAX_BATCHES) return;
    this.isAbandoned = true;
    await this.handle.detach();
    table.control.fill(0);
    this.batches = 0;
    this.handle = await this.pool.attach(table);
    this.isAbandoned = false;
  }

  close(): Promise<void> {
    return this.handle.detach();
  }
}

/**
 * Rows an index tensor asks for. Negative indices count from the end, as ONNX's Gather has it.
 * @throws SluiceError `bad-input` naming the first index out of range.
 */
export function rowIndices(values: readonly number[], gather: GatherRecord): number[] {
  return values.map((value, position) => {
    const row = value < 0 ? value + gather.rows : value;
    if (row >= 0 && row < gather.rows) return row;
    throw new SluiceError(
      'bad-input',
      `${gather.indices}[${position}] is ${value}; table ${gather.weight} has rows 0 to ${gather.rows - 1}.`,
      { input: gather.indices, position, found: value, rows: gather.rows },
    );
  });
}

/** Where the table begins in the weights file: usually its layer's block, or that of a layer it is shared with. */
export function tableOffset(layer: LayerRecord, gather: GatherRecord): number {
  return layer.weights.find((weight) => weight.name === gather.weight)?.fileOffset ?? layer.fileOffset;
}
