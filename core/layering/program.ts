import type { PipelineMode } from '../contract';
import { alignUp, DIRECT_ALIGNMENT } from '../storage';
import type { LayerRecord, TilingRecord } from './manifest';
import type { Piece } from './schedule';

/** A range of the weights file, aligned for direct I/O. */
export interface FileRange {
  readonly fileOffset: number;
  readonly byteLength: number;
}

/** Rows [first, first + count) of a tiled weight. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/**
 * One call of ONNX Runtime (or one row-wise gather), with the weights it needs.
 * - `segment`: consecutive layers as one graph.
 * - `tile`: some rows of a tiled layer's first node.
 * - `rest`: the other nodes of a tiled layer, after its tiles.
 * - `gather`: rows of an embedding table.
 */
export type StepKind = 'segment' | 'tile' | 'rest' | 'gather';

export interface Step {
  readonly kind: StepKind;
  /** First and last layer, inclusive. */
  readonly first: number;
  readonly last: number;
  readonly rows?: RowRange;
  /** Which tile of its layer, from 0, and of how many. */
  readonly tile?: { readonly index: number; readonly count: number };
  /** What the ring has to deliver for it, in file order. */
  readonly ring: readonly FileRange[];
  /** What it needs of the resident memory. A gather without any reads its rows from disk. */
  readonly resident: readonly FileRange[];
}

/** Everything the executor needs to run a store under a budget. */
export interface Program {
  readonly mode: PipelineMode;
  readonly steps: readonly Step[];
  /** 0 when nothing is streamed. */
  readonly ringBytes: number;
  readonly chunkBytes: number;
}

/** Rows read at a time by a gather from an embedding table on disk. */
export const GATHER_BATCH_ROWS = 32;

/** Bytes of the buffer a streamed gather reads into. */
export function gatherBufferBytes(rowBytes: number): number {
  return GATHER_BATCH_ROWS * gatherRowSpan(rowBytes);
}

/** Room for one row and the sectors its ends share with its neighbours. */
export function gatherRowSpan(rowBytes: number): number {
  return alignUp(rowBytes) + DIRECT_ALIGNMENT;
}

/** All bytes a layer needs when run whole: its block, and weights it shares with earlier layers. */
export function layerRanges(layer: LayerRecord): FileRange[] {
  const own: FileRange[] =
    layer.byteLength > 0 ? [{ fileOffset: layer.fileOffset, byteLength: layer.byteLength }] : [];
  const shared = layer.weights
    .filter((weight) => !isInside(weight.fileOffset, layer))
    .map((weight) => coveringRange(weight.fileOffset, weight.byteLength));
  return [...own, ...shared];
}

/** Bytes of rows of a tiled weight. */
export function tileRange(layer: LayerRecord, tiling: TilingRecord, rows: RowRange): FileRange {
  const start = weightOffset(layer, tiling) + rows.first * tiling.rowBytes;
  return { fileOffset: start, byteLength: alignUp(rows.count * tiling.rowBytes) };
}

/** Everything a tiled layer needs beside its tiled weight. */
export function sideRanges(layer: LayerRecord, tiling: TilingRecord): FileRange[] {
  const others = layer.weights.filter((weight) => weight.name !== tiling.weight);
  const own = others.filter((weight) => isInside(weight.fileOffset, layer));
  const shared = others.filter((weight) => !isInside(weight.fileOffset, layer));
  const [firstOwn] = own;
  const ranges = shared.map((weight) => coveringRange(weight.fileOffset, weight.byteLength));
  if (firstOwn) {
    const end = layer.fileOffset + layer.byteLength;
    ranges.unshift(coveringRange(firstOwn.fileOffset, end - firstOwn.fileOffset));
  }
  return ranges;
}

/** The pieces the ring has to deliver. */
export function ringPieces(program: Program): Piece[] {
  return program.steps.flatMap((step, index) => step.ring.map((range) => ({ ...range, step: index })));
}

/** Ranges that are loaded once, without doubles, in file order. */
export function residentRanges(program: Program): FileRange[] {
  const ranges = new Map<string, FileRange>();
  for (const range of program.steps.flatMap((step) => step.resident)) {
    ranges.set(`${range.fileOffset}+${range.byteLength}`, range);
  }
  return [...ranges.values()].sort((a, b) => a.fileOffset - b.fileOffset);
}

/** Whether the parts of a tiled node's output lie one after the other in memory, so that no join is needed. */
export function tilesAreContiguous(tiling: TilingRecord): boolean {
  const shape = tiling.outputShape;
  const axis = tiling.outputAxis < 0 ? shape.length + tiling.outputAxis : tiling.outputAxis;
  return shape.slice(0, axis).every((dim) => dim === 1);
}

function isInside(fileOffset: number, layer: LayerRecord): boolean {
  return fileOffset >= layer.fileOffset && fileOffset < layer.fileOffset + layer.byteLength;
}

function weightOffset(layer: LayerRecord, tiling: TilingRecord): number {
  return layer.weights.find((weight) => weight.name === tiling.weight)?.fileOffset ?? layer.fileOffset;
}

function coveringRange(fileOffset: number, byteLength: number): FileRange {
  const start = Math.floor(fileOffset / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT;
  return { fileOffset: start, byteLength: alignUp(fileOffset + byteLength - start) };
}
