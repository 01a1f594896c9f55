import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerRecord, StoreManifest } from './manifest';
import { cutSteps, leastStepBytes, sumBytes } from './split';

/** Rows of 4096 bytes, so that any row ends on a direct I/O boundary. */
const ROW_BYTES = 4096;

interface Shape {
  readonly rows: number;
  readonly unitRows: number;
  readonly minRows: number;
}

function layerOf({ rows, unitRows, minRows }: Shape): LayerRecord {
  const byteLength = rows * ROW_BYTES;
  const place = { fileOffset: 0, byteLength };
  const tiling = { rowBytes: ROW_BYTES, outputAxis: -1, weight: 'w', output: 'y', outputShape: [1, rows] };
  return {
    name: 'product',
    op: 'MatMul',
    nodes: 1,
    graph: 'layers/0000.onnx',
    inputs: ['x'],
    outputs: ['y'],
    ...place,
    sha256: '',
    weights: [{ name: 'w', dtype: 1, dims: [rows, ROW_BYTES / 4], ...place }],
    constantBytes: 0,
    tiling: { rows, unitRows, minRows, ...tiling },
  };
}

const shapes: fc.Arbitrary<Shape> = fc
  .record({ unitRows: fc.integer({ min: 1, max: 40 }), rows: fc.integer({ min: 1, max: 400 }) })
  .chain((shape) => fc.integer({ min: 1, max: shape.unitRows }).map((minRows) => ({ ...shape, minRows })));

describe('cutting a layer into tiles', () => {
  it('gives tiles that can stand alone, at unit borders, within the limit, whatever stays resident', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 0, max: 60 }), fc.nat({ max: 60 }), (shape, spareRows, units) => {
        const layer = layerOf(shape);
        const maxStepBytes = leastStepBytes(layer) + spareRows * ROW_BYTES;
        const cut = { isResident: () => false, residentUnits: () => units, maxStepBytes, joinBytes: 0 };
        const steps = cutSteps({ layers: [layer] } as unknown as StoreManifest, cut);
        for (const step of steps) expect(sumBytes(step.ring)).toBeLessThanOrEqual(maxStepBytes);
        if (steps[0]?.kind === 'segment') return;
        let next = 0;
        for (const { rows } of steps) {
          expect(rows?.first).toBe(next);
          expect(next % shape.unitRows).toBe(0);
          expect(rows?.count).toBeGreaterThanOrEqual(shape.minRows);
          next += rows?.count ?? 0;
        }
        expect(next).toBe(shape.rows);
        const residentRows = sumBytes(steps.flatMap((step) => step.resident)) / ROW_BYTES;
        expect(residentRows).toBeLessThanOrEqual(units * shape.unitRows);
      }),
      { numRuns: 500, seed: 5000 },
    );
  });
});
