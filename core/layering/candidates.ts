import type { PipelineMode } from '../contract';
import { alignUp } from '../storage';
import type { StoreManifest } from './manifest';
import type { StoreProfile } from './profile-file';
import { layerRanges, type Program, type Step } from './program';
import { memoryOf, PAGE_BYTES, pageAlign, streamableBytes } from './program-memory';
import { cutSteps, leastStepBytes, sumBytes, type Cut } from './split';

/** Reads of this size reach the disk's full rate; smaller rings read in smaller pieces. */
const MAX_CHUNK_BYTES = 1 << 20;
/** A ring that runs further ahead than this gains nothing that resident layers would not gain better. */
const MAX_RING_BYTES = 1 << 30;
/** Parts of a ring: a step may take one, so that others can be read meanwhile. */
const STEPS_PER_RING = 4;

/** Nothing resident. */
export const none: Pick<Cut, 'isResident' | 'residentUnits'> = {
  isResident: () => false,
  residentUnits: () => 0,
};

/**
 * The least ring: it has to hold the largest indivisible part (twice where reads overlap compute), and enough for
 * reads that are not much slower than large ones: 1/32 of all weights, between 1 MiB and 8 MiB.
 */
export function minimumRing(manifest: StoreManifest, mode: PipelineMode): number {
  const part = Math.max(0, ...manifest.layers.map(leastStepBytes));
  const streamed = streamableBytes(manifest);
  const useful = Math.min(8 << 20, Math.max(1 << 20, streamed / 32));
  const wanted = mode === 'sequential' ? Math.max(part, useful / 2) : Math.max(2 * part, useful);
  return pageAlign(Math.min(wanted, Math.max(2 * part, streamed)));
}

/** The longest step that a ring leaves room for in a mode, bytes. */
export function stepLimit(manifest: StoreManifest, mode: PipelineMode, ringBytes: number): number {
  if (mode === 'sequential') return ringBytes;
  if (mode === 'sync') return Math.floor(ringBytes / 2 / 4096) * 4096;
  const part = Math.max(0, ...manifest.layers.map(leastStepBytes));
  return Math.max(part, ringBytes / STEPS_PER_RING);
}

/** All weights in memory: nothing is read. */
export function residentProgram(manifest: StoreManifest, mode: PipelineMode): Program {
  const steps = cutSteps(manifest, {
    isResident: () => true,
    residentUnits: () => 0,
    maxStepBytes: 0,
    joinBytes: 0,
  });
  return { mode, steps, ringBytes: 0, chunkBytes: MAX_CHUNK_BYTES };
}

/** Each layer a step of its own, all in memory. */
export function layerwiseProgram(manifest: StoreManifest): Program {
  const steps = manifest.layers.map((layer, index): Step => {
    const kind = layer.gather ? 'gather' : 'segment';
    return { kind, first: index, last: index, ring: [], resident: layerRanges(layer) };
  });
  return { mode: 'resident', steps, ringBytes: 0, chunkBytes: MAX_CHUNK_BYTES };
}

/**
 * What is not resident streams through a ring. @param maxStepBytes, @param joinBytes as in `Cut`.
 * @throws SluiceError `budget-too-small` naming the layer that can't be cut small enough.
 */
export function streamingProgram(
  manifest: StoreManifest,
  mode: Exclude<PipelineMode, 'resident'>,
  ringBytes: number,
  maxStepBytes: number,
  joinBytes: number,
  residency: Pick<Cut, 'isResident' | 'residentUnits'>,
): Program {
  const steps = cutSteps(manifest, {
    ...residency,
    maxStepBytes,
    joinBytes: Math.min(joinBytes, maxStepBytes),
  });
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(65_536, alignUp(ringBytes / STEPS_PER_RING)));
  return { mode, steps, ringBytes, chunkBytes };
}

export function candidatePrograms(
  manifest: StoreManifest,
  profile: StoreProfile | undefined,
  mode: Exclude<PipelineMode, 'resident'>,
  budgetBytes: number,
): Program[] {
  const programs: Program[] = [];
  for (const ringBytes of ringCandidates(manifest, mode, budgetBytes)) {
    for (const { maxStepBytes, joinBytes } of stepCandidates(manifest, mode, ringBytes)) {
      const bare = streamingProgram(manifest, mode, ringBytes, maxStepBytes, joinBytes, none);
      const spareBytes = budgetBytes - memoryOf(manifest, bare).totalBytes;
      if (spareBytes < 0) continue;
      programs.push(bare);
      for (const order of residencyOrders(manifest, profile)) {
        const residency = chooseResident(manifest, order, spareBytes - 2 * PAGE_BYTES);
        programs.push(streamingProgram(manifest, mode, ringBytes, maxStepBytes, joinBytes, residency));
      }
    }
  }
  return programs;
}

/** How large steps may get: small ones overlap better, large ones cost less. */
function stepCandidates(
  manifest: StoreManifest,
  mode: PipelineMode,
  ringBytes: number,
): { maxStepBytes: number; joinBytes: number }[] {
  const maxStepBytes = stepLimit(manifest, mode, ringBytes);
  const candidates = [256 << 10, 1 << 20, 4 << 20]
    .filter((joinBytes) => joinBytes < maxStepBytes)
    .concat(maxStepBytes)
    .map((joinBytes) => ({ maxStepBytes, joinBytes }));
  const half = Math.floor(ringBytes / 2 / PAGE_BYTES) * PAGE_BYTES;
  if (mode === 'async' && half > maxStepBytes) candidates.push({ maxStepBytes: half, joinBytes: half });
  return candidates;
}

function ringCandidates(manifest: StoreManifest, mode: PipelineMode, budgetBytes: number): number[] {
  const least = minimumRing(manifest, mode);
  const sizes = [least];
  for (let size = least * 2; size < budgetBytes && sizes.length < 7; size *= 2) {
    if (size <= MAX_RING_BYTES) sizes.push(pageAlign(size));
  }
  const share = Math.floor((budgetBytes * 0.98 - 4 * PAGE_BYTES) / PAGE_BYTES) * PAGE_BYTES;
  const most = Math.min(share, MAX_RING_BYTES);
  if (most > least) sizes.push(most);
  return sizes;
}

/** Orders in which layers may become resident: by least compute per byte (they stall most), and as they come. */
function residencyOrders(manifest: StoreManifest, profile: StoreProfile | undefined): number[][] {
  const layers = manifest.layers.map((_, index) => index).filter((index) => !manifest.layers[index]?.gather);
  if (!profile) return [layers];
  const density = (index: number): number =>
    (profile.layerMs[index] ?? 0) / Math.max(1, manifest.layers[index]?.byteLength ?? 1);
  return [[...layers].sort((a, b) => density(a) - density(b)), layers];
}

function chooseResident(
  manifest: StoreManifest,
  order: readonly number[],
  spareBytes: number,
): Pick<Cut, 'isResident' | 'residentUnits'> {
  const whole = new Set<number>();
  const units = new Map<number, number>();
  let left = spareBytes;
  for (const index of order) {
    const layer = manifest.layers[index];
    if (!layer || left <= 0) continue;
    const bytes = sumBytes(layerRanges(layer));
    if (bytes <= left) {
      whole.add(index);
      left -= bytes;
    } else if (layer.tiling) {
      const count = Math.floor(left / (layer.tiling.unitRows * layer.tiling.rowBytes));
      units.set(index, count);
      left -= count * layer.tiling.unitRows * layer.tiling.rowBytes;
    }
  }
  return { isResident: (layer) => whole.has(layer), residentUnits: (layer) => units.get(layer) ?? 0 };
}
