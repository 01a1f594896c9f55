import { createHash, type Hash } from 'node:crypto';
import { SluiceError } from '../contract';
import type { LayerRecord, StoreManifest } from './manifest';
import type { FileRange, Program } from './program';
import type { WeightMemory } from './weight-memory';

/**
 * Compares the checksum of every layer with the manifest as its bytes come by for the first time. A layer that comes
 * in tiles is hashed tile by tile. Tables read by the row are left to `models verify`: not all of them comes by.
 */
export class LayerChecks {
  private readonly checkedLayers = new Set<number>();
  private readonly running = new Map<number, { hash: Hash; position: number }>();

  constructor(
    private readonly manifest: StoreManifest,
    private readonly program: Program,
    private readonly memory: WeightMemory,
  ) {}

  /** Call when a step's bytes are in memory, in step order. @throws SluiceError `corrupt-store` naming the layer. */
  check(stepIndex: number): void {
    const step = this.program.steps[stepIndex];
    if (!step || (step.kind === 'gather' && step.resident.length === 0)) return;
    for (let layerIndex = step.first; layerIndex <= step.last; layerIndex += 1) {
      const layer = this.manifest.layers[layerIndex];
      if (!layer || layer.byteLength === 0 || this.checkedLayers.has(layerIndex)) continue;
      this.feed(layerIndex, layer, stepIndex, [...step.ring, ...step.resident]);
    }
  }

  /** After a failed or cancelled inference: layers that came by in part are hashed from their start again. */
  abandon(): void {
    this.running.clear();
  }

  private feed(
    layerIndex: number,
    layer: LayerRecord,
    stepIndex: number,
    ranges: readonly FileRange[],
  ): void {
    const state = this.running.get(layerIndex) ?? { hash: createHash('sha256'), position: layer.fileOffset };
    this.running.set(layerIndex, state);
    const end = layer.fileOffset + layer.byteLength;
    for (;;) {
      const { position } = state;
      const range = ranges.find(
        (item) => item.fileOffset <= position && position < item.fileOffset + item.byteLength,
      );
      if (!range || position >= end) break;
      const stop = Math.min(end, range.fileOffset + range.byteLength);
      state.hash.update(this.memory.view(stepIndex, { fileOffset: position, byteLength: stop - position }));
      state.position = stop;
    }
    if (state.position < end) return;
    this.running.delete(layerIndex);
    if (state.hash.digest('hex') !== layer.sha256) throw checksumError(layerIndex, layer);
    this.checkedLayers.add(layerIndex);
  }
}

/** The error for a layer whose bytes are not the ones that were written. */
export function checksumError(layerIndex: number, layer: LayerRecord): SluiceError {
  return new SluiceError(
    'corrupt-store',
    `The weights of layer ${layerIndex} (${layer.name}), bytes ${layer.fileOffset} to ` +
      `${layer.fileOffset + layer.byteLength} of the weights file, differ from what was imported: checksum mismatch. ` +
      'The disk or file is damaged; import the model again.',
    { layer: layer.name, index: layerIndex },
  );
}
