import { alignUp } from '../storage';
import type { StoreManifest } from './manifest';
import { gatherBufferBytes, residentRanges, type Program } from './program';
import { sumBytes } from './split';

/** Memory objects come in pieces of this size. */
export const PAGE_BYTES = 65_536;

export interface ProgramMemory {
  readonly ringBytes: number;
  readonly residentBytes: number;
  readonly constantBytes: number;
  readonly totalBytes: number;
}

/** What a program will allocate, as `WeightMemory` does it. */
export function memoryOf(manifest: StoreManifest, program: Program): ProgramMemory {
  const isStreaming = program.steps.some((step) => step.ring.length > 0);
  const tables = program.steps
    .filter((step) => step.kind === 'gather' && step.resident.length === 0)
    .map((step) => pageAlign(gatherBufferBytes(manifest.layers[step.first]?.gather?.rowBytes ?? 0)));
  const ringBytes =
    (isStreaming ? pageAlign(program.ringBytes) : 0) + tables.reduce((sum, bytes) => sum + bytes, 0);
  const residentSum = sumBytes(residentRanges(program));
  const residentBytes = residentSum === 0 ? 0 : pageAlign(residentSum);
  const constantBytes = manifest.layers.reduce((sum, layer) => sum + layer.constantBytes, 0);
  return { ringBytes, residentBytes, constantBytes, totalBytes: ringBytes + residentBytes + constantBytes };
}

/** Rounds up to whole memory pieces, at least one. */
export function pageAlign(bytes: number): number {
  return alignUp(Math.max(1, bytes), PAGE_BYTES);
}

/** Bytes that pass through the ring when nothing is resident. */
export function streamableBytes(manifest: StoreManifest): number {
  return manifest.layers.reduce((sum, layer) => sum + (layer.gather ? 0 : layer.byteLength), 0);
}
