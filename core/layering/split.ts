import { SluiceError } from '../contract';
import { alignUp } from '../storage';
import type { LayerRecord, StoreManifest, TilingRecord } from './manifest';
import {
  layerRanges,
  sideRanges,
  tilesAreContiguous,
  tileRange,
  type FileRange,
  type RowRange,
  type Step,
} from './program';

/** How a store is cut into steps. */
export interface Cut {
  /** Layers that stay in memory. */
  readonly isResident: (layer: number) => boolean;
  /** For tiled layers that are not resident as a whole: leading rows that are, in units. */
  readonly residentUnits: (layer: number) => number;
  /** No step may need more of the ring than this. */
  readonly maxStepBytes: number;
  /** Small neighbours are joined into one step up to this many ring bytes. */
  readonly joinBytes: number;
}

/**
 * Cuts a store into steps.
 * @throws SluiceError `budget-too-small` naming the layer that can't be cut small enough.
 */
export function cutSteps(manifest: StoreManifest, cut: Cut): Step[] {
  const cutter = new Cutter(manifest, cut);
  manifest.layers.forEach((layer, index) => cutter.add(layer, index));
  return cutter.finish();
}

/** Least ring bytes a layer's largest indivisible part needs. 0: nothing of it has to be in the ring. */
export function leastStepBytes(layer: LayerRecord): number {
  if (layer.gather) return 0;
  const { tiling } = layer;
  if (!tiling) return sumBytes(layerRanges(layer));
  return Math.min(sumBytes(layerRanges(layer)), alignUp(leastTileRows(tiling) * tiling.rowBytes));
}

/** Rows of the largest tile when all are as small as can be: a unit, and what is left over if it can't stand alone. */
function leastTileRows({ rows, unitRows, minRows }: TilingRecord): number {
  const leftOver = rows % unitRows;
  return Math.min(rows, leftOver < minRows ? unitRows + leftOver : unitRows);
}

/**
 * Cuts rows [first, end) into tiles of at most `maxRows` (a multiple of the unit), the last of which may be longer
 * by what can't stand alone.
 */
function tileRows(tiling: TilingRecord, first: number, end: number, maxRows: number): RowRange[] {
  const { unitRows, minRows } = tiling;
  const ranges: RowRange[] = [];
  for (let start = first; start < end;) {
    let count = Math.min(maxRows, end - start);
    const left = end - start - count;
    if (left > 0 && left < minRows) count = count > unitRows ? count - unitRows : count + left;
    ranges.push({ first: start, count });
    start += count;
  }
  return ranges;
}

class Cutter {
  private readonly steps: Step[] = [];
  private group: { first: number; last: number; ring: FileRange[]; resident: FileRange[] } | undefined;

  constructor(
    private readonly manifest: StoreManifest,
    private readonly cut: Cut,
  ) {}

  add(layer: LayerRecord, index: number): void {
    if (layer.gather) {
      this.flush();
      const resident = this.cut.isResident(index) ? layerRanges(layer) : [];
      this.steps.push({ kind: 'gather', first: index, last: index, ring: [], resident });
      return;
    }
    const ranges = layerRanges(layer);
    if (this.cut.isResident(index)) this.join(index, [], ranges);
    else if (sumBytes(ranges) <= this.cut.maxStepBytes) this.join(index, ranges, []);
    else this.addTiles(layer, index);
  }

  finish(): Step[] {
    this.flush();
    return this.steps;
  }

  private join(index: number, ring: FileRange[], resident: FileRange[]): void {
    const { group } = this;
    const joinedBytes = group ? sumBytes(group.ring) + sumBytes(ring) : 0;
    if (!group || (ring.length > 0 && group.ring.length > 0 && joinedBytes > this.cut.joinBytes)) {
      this.flush();
      this.group = { first: index, last: index, ring, resident };
      return;
    }
    group.last = index;
    group.ring.push(...ring);
    group.resident.push(...resident);
  }

  private flush(): void {
    if (!this.group) return;
    this.steps.push({ kind: 'segment', ...this.group });
    this.group = undefined;
  }

  private addTiles(layer: LayerRecord, index: number): void {
    this.flush();
    const { tiling } = layer;
    const unitBytes = leastStepBytes(layer);
    if (!tiling || unitBytes > this.cut.maxStepBytes) {
      throw new SluiceError(
        'budget-too-small',
        `Layer ${layer.name} needs at least ${unitBytes} bytes at once; ${this.cut.maxStepBytes} are available.`,
        { layer: layer.name, unitBytes, maxStepBytes: this.cut.maxStepBytes },
      );
    }
    const unitsPerTile = Math.max(1, Math.floor(this.cut.maxStepBytes / (tiling.unitRows * tiling.rowBytes)));
    const maxRows = unitsPerTile * tiling.unitRows;
    const residentRows = residentRowsOf(tiling, this.cut.residentUnits(index));
    const rows = [
      ...tileRows(tiling, 0, residentRows, maxRows),
      ...tileRows(tiling, residentRows, tiling.rows, maxRows),
    ];
    const side = sideRanges(layer, tiling);
    rows.forEach((range, at) => {
      const own = tileRange(layer, tiling, range);
      const isResident = range.first < residentRows;
      this.steps.push({
        kind: 'tile',
        first: index,
        last: index,
        rows: range,
        tile: { index: at, count: rows.length },
        ring: isResident ? [] : [own],
        resident: isResident ? [...side, own] : side,
      });
    });
    if (layer.nodes === 1 && tilesAreContiguous(tiling)) return;
    const tile = { index: rows.length, count: rows.length };
    this.steps.push({ kind: 'rest', first: index, last: index, tile, ring: [], resident: side });
  }
}

/** Leading rows to keep in memory, so that what is left to stream can stand alone. */
function residentRowsOf({ rows, unitRows, minRows }: TilingRecord, units: number): number {
  const wanted = Math.min(rows, units * unitRows);
  const left = rows - wanted;
  return left > 0 && left < minRows ? Math.max(0, wanted - unitRows) : wanted;
}

export function sumBytes(ranges: readonly FileRange[]): number {
  return ranges.reduce((sum, range) => sum + range.byteLength, 0);
}
