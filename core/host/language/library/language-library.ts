import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { SluiceError } from '../../../contract';
import { checkName, nameFromPath } from '../../../layering';
import { readLanguageModelFacts } from '../../../llm';
import {
  ioError,
  processFolder,
  removeIfEmpty,
  sweepProcessFolders,
  syncFolder,
  writeFileAtomic,
} from '../../../storage';
import { isoTime, systemClock } from '../../host-clock';
import { hasLanguageModel, languageFolder, MANIFEST_FILE } from './language-folder';
import {
  MANIFEST_FORMAT,
  NOTHING_KNOWN,
  readManifest,
  type LanguageManifest,
  type ManifestFile,
} from './language-manifest';
import {
  ByteProgress,
  MODEL_FILE,
  MODEL_FOLDER,
  storeFile,
  storeFolder,
  type ReadOptions,
} from './store-model';

/** Models that are coming or going, below a folder of the process at work; no model can have the name. */
const MOVING_FOLDER = '.moving';
const ENTRY_OF_NETWORK = 'entry.json';

export interface LanguageModelEntry extends Omit<LanguageManifest, 'format'> {
  readonly name: string;
  /** Absolute path of the GGUF file, or of the folder. */
  readonly path: string;
  readonly state: 'ready' | 'broken';
  readonly stateReason?: string;
}

export interface LanguageImport {
  /** A GGUF file, or a folder as transformers saves a model. */
  readonly path: string;
  /** Default: from the file name. */
  readonly name?: string;
  /** Default: the name of the file or folder. */
  readonly sourceFile?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (phase: string, doneBytes: number, totalBytes: number) => void;
}

/**
 * Language models on this machine: `language/NAME/` holds the GGUF file, or the files of a model that is a folder, and
 * what is known of it. A model's folder comes and goes in one step, so that killed at any moment it is there whole or
 * not at all.
 */
export class LanguageLibrary {
  private readonly folder: string;

  constructor(private readonly dataDir: string) {
    this.folder = languageFolder(dataDir);
  }

  has(name: string): boolean {
    return hasLanguageModel(this.dataDir, checkName(name));
  }

  /** @throws SluiceError `conflict` when a model has the name, `bad-input` when none can. */
  requireFree(name: string): void {
    const isNetwork = existsSync(join(this.dataDir, 'models', checkName(name), ENTRY_OF_NETWORK));
    if (!isNetwork && !this.has(name)) return;
    throw new SluiceError(
      'conflict',
      `There is a model '${name}' already. Choose another --name, or remove it first: sluice models remove ${name}`,
      { name },
    );
  }

  list(): readonly LanguageModelEntry[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .filter((name) => existsSync(join(this.folder, name, MANIFEST_FILE)))
      .sort()
      .map((name) => this.entry(name));
  }

  /** A model that can't be used is `broken`, with why. @throws SluiceError `not-found`, `bad-input` for the name. */
  entry(name: string): LanguageModelEntry {
    if (!this.has(name)) {
      throw new SluiceError(
        'not-found',
        `There is no language model '${name}'. "sluice models list" shows what there is.`,
        { name },
      );
    }
    const manifestPath = join(this.folder, name, MANIFEST_FILE);
    const broken = (stateReason: string): LanguageModelEntry => {
      const path = join(this.folder, name, MODEL_FILE);
      return { ...NOTHING_KNOWN, name, path, state: 'broken', stateReason };
    };
    let manifest: LanguageManifest | undefined;
    try {
      manifest = readManifest(manifestPath);
    } catch (thrown) {
      return broken(SluiceError.from(thrown).message);
    }
    if (!manifest) return broken(`${manifestPath} can't be read. ${GET_AGAIN}`);
    const { format: _format, ...known } = manifest;
    const path = join(this.folder, name, known.files ? MODEL_FOLDER : MODEL_FILE);
    const faults = filesOf({ ...known, path }).flatMap(({ path: file, bytes }) => {
      const foundBytes = existsSync(file) ? statSync(file).size : 0;
      return foundBytes === bytes ? [] : [`${file}: expected ${bytes} bytes, found ${foundBytes}.`];
    });
    if (faults.length === 0) return { ...known, name, path, state: 'ready' };
    return { ...known, name, path, state: 'broken', stateReason: `${faults.join(' ')} ${GET_AGAIN}` };
  }

  /**
   * Takes a model in: weights are linked where the file system can, else copied.
   * @throws SluiceError `not-found`, `bad-model`, `unsupported` (what can't be run), `conflict` (the name is taken), `io`,
   * `cancelled`.
   */
  async import(request: LanguageImport): Promise<LanguageModelEntry> {
    const { path, signal } = request;
    const isFolder = existsSync(path) && statSync(path).isDirectory();
    const name = checkName(request.name ?? (isFolder ? nameOfFolder(path) : nameFromPath(path)));
    this.requireFree(name);
    await readLanguageModelFacts(path, signal ? { signal } : {});
    const staged = await this.movingFolder(name);
    try {
      const stored = isFolder ? await storeFolder(staged, request) : await storeFile(staged, request);
      // Of what was stored: a link that was turned since the look at it led to another file.
      const kept = join(staged, isFolder ? MODEL_FOLDER : MODEL_FILE);
      const facts = await readLanguageModelFacts(kept, signal ? { signal } : {});
      const manifest: LanguageManifest = {
        format: MANIFEST_FORMAT,
        ...facts,
        ...stored,
        sourceFile: request.sourceFile ?? basename(resolve(path)),
        importedAt: isoTime(systemClock.nowMs()),
      };
      await writeFileAtomic(join(staged, MANIFEST_FILE), JSON.stringify(manifest, null, 2));
      await this.moveIn(staged, name);
      return this.entry(name);
    } catch (cause) {
      throw ioError(`Can't import ${path}`, cause);
    } finally {
      await this.tidy(staged);
    }
  }

  /** Reads all files. @returns whether they are what was imported. @throws SluiceError `not-found`, `cancelled`. */
  async verify(name: string, options: ReadOptions): Promise<VerifiedModel> {
    const entry = this.entry(name);
    if (entry.state === 'broken') {
      return { fileBytes: 0, faults: [{ file: basename(entry.path), problem: entry.stateReason ?? '' }] };
    }
    const faults: FileFault[] = [];
    const progress = new ByteProgress('verify', entry.fileBytes, options);
    for (const { path, bytes, sha256 } of filesOf(entry)) {
      const found = await progress.hash(path, bytes);
      if (found === sha256) continue;
      const problem = `${path}: expected SHA-256 ${sha256}, found ${found}. ${GET_AGAIN}`;
      faults.push({ file: basename(path), problem });
    }
    return { fileBytes: entry.fileBytes, faults };
  }

  /** @returns bytes that were freed: not those still there under another name. @throws SluiceError `not-found`, `io`. */
  async remove(name: string): Promise<number> {
    const stats = filesOf(this.entry(name)).flatMap(({ path }) => (existsSync(path) ? [statSync(path)] : []));
    const freed = stats.reduce((sum, { nlink, size }) => (nlink === 1 ? sum + size : sum), 0);
    const moving = await this.movingFolder(name);
    try {
      await rename(join(this.folder, name), join(moving, name));
      await syncFolder(this.folder);
    } catch (cause) {
      throw ioError(`Can't remove ${join(this.folder, name)}`, cause);
    } finally {
      await this.tidy(moving);
    }
    return freed;
  }

  /** A new, empty folder; what ended processes left is swept away. */
  private async movingFolder(name: string): Promise<string> {
    const root = join(this.folder, MOVING_FOLDER);
    try {
      await sweepProcessFolders(root);
      const path = join(processFolder(root), `${name}.${randomBytes(4).toString('hex')}`);
      await mkdir(path, { recursive: true });
      return path;
    } catch (cause) {
      throw ioError(`Can't write ${root}`, cause);
    }
  }

  private async moveIn(staged: string, name: string): Promise<void> {
    try {
      // Refused when there is a folder with something in it: whoever came first stays.
      await rename(staged, join(this.folder, name));
    } catch (cause) {
      if (['ENOTEMPTY', 'EEXIST'].includes((cause as NodeJS.ErrnoException).code ?? ''))
        this.requireFree(name);
      throw cause;
    }
    await syncFolder(this.folder);
  }

  private async tidy(moving: string): Promise<void> {
    const root = join(this.folder, MOVING_FOLDER);
    await rm(moving, { recursive: true, force: true });
    for (const folder of [processFolder(root), root, this.folder]) await removeIfEmpty(folder);
  }
}

/** A folder's name has no extension to lose: `qwen3-0.6b` for `Qwen3-0.6B`. */
export function nameOfFolder(path: string): string {
  return nameFromPath(`${resolve(path)}.folder`);
}

export interface FileFault {
  /** Its name. */
  readonly file: string;
  readonly problem: string;
}

export interface VerifiedModel {
  /** That were read. */
  readonly fileBytes: number;
  readonly faults: readonly FileFault[];
}

const GET_AGAIN = 'Remove the model and import it again.';

/** The files of a model with what they should be. */
function filesOf({
  files,
  path,
  fileBytes,
  sha256,
}: Pick<LanguageModelEntry, 'files' | 'path' | 'fileBytes' | 'sha256'>): readonly (Omit<
  ManifestFile,
  'name'
> & {
  readonly path: string;
})[] {
  if (!files) return [{ path, bytes: fileBytes, sha256 }];
  return files.map(({ name, ...file }) => ({ ...file, path: join(path, name) }));
}
