import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../base';
import { PIPELINE_MODES, type PipelineMode } from '../contract';
import { ZOO, zooNetwork } from '../zoo';
import type { StoreManifest } from './manifest';
import { memoryDelayCurve, minimumBudget, planProgram, residentTotalBytes } from './plan';
import type { StoreProfile } from './profile-file';
import { BenchTop, type TestStore } from './test-support/bench-top';
import { mediumNetwork } from './test-support/networks';

let bench: BenchTop;
let stores: Map<string, TestStore>;
beforeAll(async () => {
  bench = await BenchTop.open();
  stores = new Map([['medium', await bench.compile(mediumNetwork(3))]]);
  for (const { id } of ZOO.filter((network) => network.id.startsWith('tiny-'))) {
    stores.set(id, await bench.compile(zooNetwork(id).build(1)));
  }
});
afterAll(() => bench.close());

/** A profile as a machine might have it. */
function profileOf(manifest: StoreManifest, seed: number): StoreProfile {
  const random = seededRandom(seed);
  const readBytesPerSec = 2e8 + 3e9 * random();
  return {
    format: 3,
    threads: 2,
    readers: 4,
    layerMs: manifest.layers.map(() => 0.02 + 3 * random()),
    stepMs: 0.02,
    rings: [1, 4, 16].map((mebibytes) => ({
      ringBytes: mebibytes << 20,
      readBytesPerSec,
      readerBytesPerSec: readBytesPerSec * (0.3 + 0.7 * random()),
      readLatencyMs: 0.2 * random(),
      computeSlowdown: 1 + random(),
      readSlowdown: 1 + random(),
      correction: 1,
    })),
  };
}

/** Budgets in equal ratios, the least and all of it included. */
function sweep(manifest: StoreManifest, mode: PipelineMode, count: number): number[] {
  const [least, total] = [minimumBudget(manifest, mode), residentTotalBytes(manifest)];
  const ratio = Math.max(1, (1.2 * total) / least) ** (1 / (count - 1));
  return Array.from({ length: count }, (_, at) => Math.floor(least * ratio ** at));
}

describe('a plan', () => {
  it('allocates what it says, and never more than the budget', async () => {
    for (const mode of PIPELINE_MODES) {
      const store = stores.get('medium')!;
      for (const profile of [undefined, profileOf(store.manifest, 1)]) {
        for (const budgetBytes of sweep(store.manifest, mode, 6)) {
          const planned = planProgram(store.manifest, profile, mode, budgetBytes);
          const model = await bench.loadPlanned(store, planned);
          const { ringBytes, residentBytes, constantBytes } = model.memoryUse;
          await model.close();
          const { detail } = planned;
          expect({ ringBytes, residentBytes, constantBytes }).toEqual({
            ringBytes: detail.ringBytes,
            residentBytes: detail.residentBytes,
            constantBytes: detail.constantBytes,
          });
          expect(detail.parameterMemoryBytes).toBe(ringBytes + residentBytes + constantBytes);
          expect(detail.parameterMemoryBytes).toBeLessThanOrEqual(budgetBytes);
        }
      }
    }
  });

  it.each(PIPELINE_MODES)('%s: the least budget works, one byte less names it', async (mode) => {
    for (const [id, { manifest }] of stores) {
      const minimumBytes = minimumBudget(manifest, mode);
      const { detail } = planProgram(manifest, undefined, mode, minimumBytes);
      expect(detail.parameterMemoryBytes, id).toBeLessThanOrEqual(minimumBytes);
      if (minimumBytes === 0) continue;
      const budgetBytes = minimumBytes - 1;
      expect(() => planProgram(manifest, undefined, mode, budgetBytes)).toThrow(
        expect.objectContaining({
          code: 'budget-too-small',
          details: { minimumBytes, budgetBytes, mode },
        }) as Error,
      );
    }
  });

  it('says where each layer is, in agreement with its bytes', () => {
    const { manifest } = stores.get('medium')!;
    const all = planProgram(manifest, undefined, 'resident', Infinity).detail;
    expect(all.streamedBytesPerRun).toBe(0);
    expect(all.placement.filter((place) => place === 'streamed')).toEqual([]);
    const least = planProgram(manifest, undefined, 'async', minimumBudget(manifest, 'async')).detail;
    manifest.layers.forEach((layer, at) => {
      if (layer.byteLength === 0) expect(least.placement[at]).toBe('none');
    });
    expect(least.placement).toContain('streamed');
    expect(least.streamedBytesPerRun).toBeGreaterThan(0.8 * (manifest.weightBytes - 8_388_608));
  });

  it('cuts heavy layers into tiles where the budget is small', () => {
    const { manifest } = stores.get('medium')!;
    const { program } = planProgram(manifest, undefined, 'async', minimumBudget(manifest, 'async'));
    const kinds = new Set(program.steps.map((step) => step.kind));
    expect([...kinds].sort()).toEqual(['gather', 'rest', 'segment', 'tile']);
    const tiled = new Set(program.steps.filter((step) => step.kind === 'tile').map((step) => step.first));
    const ops = [...tiled].map((layer) => manifest.layers[layer]?.op ?? '');
    expect(ops.filter((op) => op.includes('Gemm')).length).toBeGreaterThanOrEqual(2);
    expect(ops.some((op) => op.includes('MatMul'))).toBe(true);
    if (process.arch === 'x64') {
      expect(ops.filter((op) => op.includes('Conv')).length).toBeGreaterThanOrEqual(2);
      expect([...tiled].some((layer) => manifest.layers[layer]?.tiling?.sum !== undefined)).toBe(true);
    }
  });
});

describe('the memory-delay curve', () => {
  it('never rises with the budget, and ends at all resident', async () => {
    for (const [id, { manifest }] of stores) {
      for (const mode of PIPELINE_MODES) {
        for (const seed of [1, 2, 3]) {
          const curve = await memoryDelayCurve(manifest, profileOf(manifest, seed), mode, []);
          expect(curve.points[0]?.budgetBytes, id).toBe(curve.minimumBytes);
          expect(curve.points.at(-1)?.budgetBytes, id).toBe(curve.totalBytes);
          curve.points.reduce((before, point) => {
            const where = `${id} ${mode} seed ${seed} at ${point.budgetBytes} bytes`;
            expect(point.budgetBytes, where).toBeGreaterThanOrEqual(before.budgetBytes);
            expect(point.predictedMs, where).toBeLessThanOrEqual(before.predictedMs * (1 + 1e-9));
            return point;
          });
        }
      }
    }
  });
});
