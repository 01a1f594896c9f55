import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { instructionSet, ModelLibrary } from '../../layering';
import { writeZooModel, zooNetwork } from '../../zoo';
import { PROFILE } from './parse-stores';

/** A library with one small network, to be copied and damaged. */
export class SoundLibrary {
  private constructor(readonly storePath: string) {}

  /** @param folder that is there; the library goes below it. */
  static async make(folder: string): Promise<SoundLibrary> {
    const sourcePath = join(folder, 'cnn.onnx');
    await writeZooModel(zooNetwork('tiny-cnn'), sourcePath, { seed: 1, weights: 'inline' });
    const here = { runtimeVersion: 'any', instructionSet: instructionSet() };
    const library = await ModelLibrary.open(join(folder, 'data'), here);
    await library.import({ sourcePath, threads: 1 }, () => undefined, new AbortController().signal);
    const storePath = library.storePath('cnn');
    // So that it is one of `here`, whichever runtime compiled it.
    const path = join(storePath, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...manifest, runtimeVersion: 'any' }));
    return new SoundLibrary(storePath);
  }

  /** Folder of the store in a model's own. */
  get store(): string {
    return basename(this.storePath);
  }

  /** A data folder with models of these names. */
  copyModels(dataDir: string, names: readonly string[]): void {
    for (const name of names)
      cpSync(dirname(this.storePath), join(dataDir, 'models', name), { recursive: true });
  }

  /** A store with figures, measured by nobody. */
  copyStore(folder: string): void {
    cpSync(this.storePath, folder, { recursive: true });
    writeFileSync(join(folder, 'profile.json'), JSON.stringify(PROFILE));
  }
}
