import type { StoreManifest } from './manifest';

/** Names the layer whose block holds a byte of the weights file. */
export function layerAtOffset(manifest: StoreManifest): (fileOffset: number) => string {
  return (fileOffset) => {
    const index = manifest.layers.findLastIndex(
      (layer) => layer.byteLength > 0 && layer.fileOffset <= fileOffset,
    );
    return `layer ${index} (${manifest.layers[index]?.name ?? 'unknown'})`;
  };
}
