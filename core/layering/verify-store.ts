import { join } from 'node:path';
import { SluiceError, type VerifyReport } from '../contract';
import { sha256OfFile } from '../storage';
import { checksumError } from './layer-checks';
import { readManifest, WEIGHTS_FILE } from './manifest';

/**
 * Reads every weight of a store and compares all checksums.
 * @param onBytes told after each layer.
 * @throws SluiceError `cancelled`, and as `readManifest`.
 */
export async function verifyStore(
  storePath: string,
  onBytes: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Omit<VerifyReport, 'name'>> {
  const { layers } = readManifest(storePath);
  const total = layers.reduce((sum, layer) => sum + layer.byteLength, 0);
  const faults: { layer: string; problem: string }[] = [];
  let done = 0;
  for (const [index, layer] of layers.entries()) {
    const range = { offset: layer.fileOffset, byteLength: layer.byteLength };
    try {
      const found = await sha256OfFile(join(storePath, WEIGHTS_FILE), range, undefined, signal);
      if (found !== layer.sha256)
        faults.push({ layer: layer.name, problem: checksumError(index, layer).message });
    } catch (error) {
      const fault = SluiceError.from(error, 'io');
      if (fault.code === 'cancelled') throw fault;
      faults.push({ layer: layer.name, problem: fault.message });
    }
    done += layer.byteLength;
    onBytes(done, total);
  }
  return { ok: faults.length === 0, layersChecked: layers.length, bytesChecked: total, faults };
}
