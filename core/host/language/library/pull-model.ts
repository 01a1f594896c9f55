import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { SluiceError } from '../../../contract';
import { nameFromPath } from '../../../layering';
import { discardPulled, hubRepo, pullFiles } from '../../../llm';
import type { ChosenModel, HubSettings, PulledModel, PullProgress } from '../../../llm';
import { ioError, removeIfEmpty, tryLock } from '../../../storage';
import { LanguageLibrary, nameOfFolder, type LanguageModelEntry } from './language-library';
import type { ReadOptions } from './store-model';

const DOWNLOADS_FOLDER = 'downloads';

export interface ModelPull {
  /** `owner/name`. */
  readonly repo: string;
  /** Default `main`. */
  readonly revision?: string;
  /** Path of a GGUF file in the repository. */
  readonly file?: string;
  /** Default: from the file, or the repository. */
  readonly name?: string;
  readonly hub: HubSettings;
  /** Told what is pulled, before it is. */
  readonly onChosen: (chosen: ChosenModel, name: string) => void;
  readonly onDownload: (progress: PullProgress) => void;
  /** Of the import that follows. */
  readonly onImport: NonNullable<ReadOptions['onProgress']>;
  /** Told where the part of a download is that did not come to its end. */
  readonly onKept: (folder: string) => void;
}

/**
 * Downloads a model from a hub and takes it into the library. Broken off, its files stay in `downloads/` of the data
 * folder, and the next pull goes on from them.
 * @throws SluiceError as `pullFiles` and `LanguageLibrary.import`, `conflict` while another process pulls the same.
 */
export async function pullModel(
  dataDir: string,
  pull: ModelPull,
): Promise<{ readonly model: LanguageModelEntry; readonly pulled: PulledModel }> {
  const { id } = hubRepo(pull.repo, pull.revision);
  const folder = join(dataDir, DOWNLOADS_FOLDER, id.replace('/', '--'));
  const unlock = await lock(folder, id);
  try {
    return await download(new LanguageLibrary(dataDir), folder, pull);
  } catch (cause) {
    await removeIfEmpty(folder);
    if (existsSync(folder)) pull.onKept(folder);
    throw cause;
  } finally {
    await unlock();
    await removeIfEmpty(dirname(folder));
  }
}

async function download(
  library: LanguageLibrary,
  folder: string,
  pull: ModelPull,
): Promise<{ readonly model: LanguageModelEntry; readonly pulled: PulledModel }> {
  const { hub, repo, revision, file } = pull;
  let name = '';
  const pulled = await pullFiles(hub, {
    repo,
    folder,
    ...(revision !== undefined && { revision }),
    ...(file !== undefined && { file }),
    onChosen: (chosen) => {
      name = pull.name ?? (chosen.file === undefined ? nameOfFolder(repo) : nameFromPath(chosen.file));
      library.requireFree(name);
      pull.onChosen(chosen, name);
    },
    onProgress: pull.onDownload,
  });
  const sourceFile = `${pulled.repo.id}@${pulled.repo.revision.slice(0, 12)}${pulled.file ? `/${pulled.file}` : ''}`;
  const request = { path: pulled.path, name, sourceFile, onProgress: pull.onImport };
  try {
    const model = await library.import({ ...request, ...(hub.signal && { signal: hub.signal }) });
    await discardPulled(folder, pulled);
    return { model, pulled };
  } catch (cause) {
    const { code } = SluiceError.from(cause);
    // What is as the hub has it and can't be run is of no further use.
    if (code === 'unsupported' || code === 'bad-model') await discardPulled(folder, pulled);
    throw cause;
  }
}

async function lock(folder: string, id: string): Promise<() => Promise<void>> {
  const path = `${folder}.lock`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    const unlock = await tryLock(path);
    if (unlock) return unlock;
  } catch (cause) {
    throw ioError(`Can't write ${path}`, cause);
  }
  throw new SluiceError('conflict', `${id} is being pulled by another process. Wait for it, or end it.`, {
    path,
  });
}
