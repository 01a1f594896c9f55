import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  SluiceError,
  type ExecutionProvider,
  type ModelDetail,
  type ModelSummary,
  type ModelTask,
  type VerifyReport,
  refuseNewer,
} from '../contract';
import { ioError, isDiskFault, removeIfEmpty, sha256OfFile, writeFileAtomic } from '../storage';
import { compileInProcess } from './compile-client';
import { checksumError } from './layer-checks';
import {
  checkName,
  ENTRY_FILE,
  ENTRY_FORMAT,
  libraryEntry,
  nameFromPath,
  type LibraryEntry,
} from './library-entry';
import { checkManifestFits, readManifest, STORE_FORMAT, WEIGHTS_FILE, type StoreManifest } from './manifest';
import { lockModelFolder, sweepModelFolder, tidyModelFolder } from './model-folder';
import {
  deleteAside,
  moveAside,
  moveBack,
  REMOVED_FOLDER,
  sweepAside,
  type RemovedFolder,
} from './moved-aside';
import { minimumBudget } from './plan';
import { readProfile } from './profile-file';

/** The machine a library is opened on: stores must have been compiled for it. */
export interface LibraryHere {
  readonly runtimeVersion: string;
  readonly instructionSet: string;
}

export interface ImportRequest {
  readonly sourcePath: string;
  /** Default: from the file name. */
  readonly name?: string;
  readonly provider?: ExecutionProvider;
  /** Replace a model of the same name; the old one stays until the new one is whole. */
  readonly replace?: boolean;
  /** Moves the folder of `sourcePath`, which must hold nothing else, into the library: the file stays as long as the model. */
  readonly takesSource?: boolean;
  readonly threads: number;
}

export interface ImportProgress {
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** The models on this machine: `models/NAME/entry.json` names the store folder beside it. Safe against crashes. */
export class ModelLibrary {
  private constructor(
    private readonly folder: string,
    private readonly here: LibraryHere,
  ) {}

  /** Opens (or creates) the library and removes what killed processes left: half imports, models moved aside. */
  static async open(dataDir: string, here: LibraryHere): Promise<ModelLibrary> {
    const folder = join(dataDir, 'models');
    await mkdir(folder, { recursive: true });
    const library = new ModelLibrary(folder, here);
    await sweepAside(folder);
    for (const item of await readdir(folder, { withFileTypes: true })) {
      if (item.isDirectory() && item.name !== REMOVED_FOLDER) await tidyModelFolder(join(folder, item.name));
    }
    return library;
  }

  list(): readonly ModelSummary[] {
    return readdirSync(this.folder)
      .filter((name) => existsSync(join(this.folder, name, ENTRY_FILE)))
      .sort()
      .map((name) => this.summaryOrFault(name));
  }

  /** @throws SluiceError `not-found`, `corrupt-store` when its entry can't be read, `unsupported` when it is newer. */
  summary(name: string): ModelSummary {
    const entry = this.entry(name);
    const base = {
      name,
      task: entry.task,
      importedAt: entry.importedAt,
      sourceFile: basename(entry.sourcePath),
    };
    if (entry.task.kind === 'text') return this.pipelineSummary(base, entry.task);
    try {
      const manifest = readManifest(this.storeFolder(name, entry));
      checkManifestFits(manifest, this.here);
      return { ...base, ...storeFigures(manifest), state: 'ready' };
    } catch (error) {
      const { code, message } = SluiceError.from(error);
      return {
        ...base,
        ...EMPTY_FIGURES,
        state: code === 'stale-store' ? 'stale' : 'broken',
        stateReason: message,
      };
    }
  }

  /** Folder of the layer store. @throws SluiceError `not-found`, `bad-input` for a pipeline, which has none. */
  storePath(name: string): string {
    const entry = this.entry(name);
    if (entry.task.kind !== 'text') return this.storeFolder(name, entry);
    const { detector, recognizer } = entry.task;
    throw new SluiceError(
      'bad-input',
      `${name} is made of ${detector} and ${recognizer}; use one of those.`,
      { name },
    );
  }

  /** The model's own folder: what is kept there goes and comes back with the model. */
  modelFolder(name: string): string {
    return join(this.folder, checkName(name));
  }

  /** The file that the model was imported from: the kept one, or where it was then. */
  sourcePath(name: string): string {
    const { source, sourcePath } = this.entry(name);
    return source === undefined ? sourcePath : join(this.folder, name, source, basename(sourcePath));
  }

  inspect(name: string): Promise<ModelDetail> {
    const storePath = this.storePath(name);
    const manifest = readManifest(storePath);
    const profile = readProfile(storePath);
    const { size } = statSync(join(storePath, WEIGHTS_FILE));
    return Promise.resolve({
      ...this.summary(name),
      layerList: manifest.layers.map((layer, index) => ({
        index,
        name: layer.name,
        op: layer.op,
        nodes: layer.nodes,
        weightBytes: layer.byteLength,
        maxTiles: layer.tiling ? Math.ceil(layer.tiling.rows / layer.tiling.unitRows) : 1,
        fileOffset: layer.fileOffset,
        sha256: layer.sha256,
        ...(profile ? { computeMs: profile.layerMs[index] ?? 0 } : {}),
      })),
      storePath,
      storeBytes: size,
      storeVersion: STORE_FORMAT,
      runtimeVersion: manifest.runtimeVersion,
      instructionSet: manifest.instructionSet,
      sourceSha256: manifest.source.sha256,
      ...(manifest.source.beside && { sourceBeside: manifest.source.beside }),
      notes: manifest.notes,
    });
  }

  /**
   * Compiles a model into the library.
   * @throws SluiceError `conflict`, `not-found` (no such file), `cancelled`, and as `compileStore`.
   */
  async import(
    request: ImportRequest,
    onProgress: (progress: ImportProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelSummary> {
    const name = checkName(request.name ?? nameFromPath(request.sourcePath));
    requireFile(request.sourcePath);
    const folder = join(this.folder, name);
    const unlock = await lockModelFolder(folder);
    try {
      this.refuseExisting(name, request.replace ?? false);
      const store = `store-${randomBytes(6).toString('hex')}`;
      const storePath = join(folder, store);
      const { sourcePath, threads, provider = 'cpu' } = request;
      await compileInProcess({ sourcePath, storePath, provider, threads }, onProgress, signal);
      const source = request.takesSource
        ? await takeSource(sourcePath, folder)
        : this.keptSource(name, sourcePath);
      await this.commit(name, {
        format: 1,
        store,
        sourcePath,
        ...(source !== undefined && { source }),
        importedAt: now(),
        task: { kind: 'tensor' },
      });
      return this.summary(name);
    } finally {
      // Before the lock is given back: afterwards the leftovers may be the next import's beginnings.
      await sweepModelFolder(folder).finally(unlock);
      await removeIfEmpty(folder);
    }
  }

  /** Says what a model is for. */
  async setTask(name: string, task: ModelTask): Promise<ModelSummary> {
    await this.commit(name, { ...this.entry(name), task });
    return this.summary(name);
  }

  /** Adds a model made of two others of the library. */
  async addTextPipeline(name: string, detector: string, recognizer: string): Promise<ModelSummary> {
    checkName(name);
    this.entry(detector);
    this.entry(recognizer);
    await mkdir(join(this.folder, name), { recursive: true });
    await this.commit(name, {
      format: 1,
      sourcePath: `${detector} + ${recognizer}`,
      importedAt: now(),
      task: { kind: 'text', detector, recognizer },
    });
    return this.summary(name);
  }

  /** Reads every weight from disk and compares all checksums. @throws SluiceError `not-found`, `cancelled`. */
  async verify(
    name: string,
    onBytes: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<VerifyReport> {
    const storePath = this.storePath(name);
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
    return { name, ok: faults.length === 0, layersChecked: layers.length, bytesChecked: total, faults };
  }

  /**
   * Takes a model out of the library; its bytes stay on disk until `discard`, or until this process is gone.
   * @throws SluiceError `not-found`, `conflict` while a pipeline uses it or an import replaces it, `io`.
   */
  async remove(name: string): Promise<RemovedFolder> {
    this.requireEntry(name);
    const user = this.list().find(
      ({ task }) => task.kind === 'text' && (task.detector === name || task.recognizer === name),
    );
    if (user) {
      throw new SluiceError('conflict', `${user.name} uses ${name}; remove ${user.name} first.`, {
        usedBy: user.name,
      });
    }
    return moveAside(this.folder, name);
  }

  /** Takes a removal back. @throws SluiceError `conflict` when the name is taken again, `io`. */
  async restore(removed: RemovedFolder): Promise<ModelSummary> {
    await moveBack(this.folder, removed);
    return this.summaryOrFault(removed.name);
  }

  /** Frees the disk space of a removed model; it can't come back. @throws SluiceError `io`. */
  discard(removed: RemovedFolder): Promise<void> {
    return deleteAside(this.folder, removed);
  }

  /** The folder that is kept already, when a model is compiled anew from its own file. */
  private keptSource(name: string, sourcePath: string): string | undefined {
    if (!existsSync(join(this.folder, name, ENTRY_FILE))) return undefined;
    const { source } = this.entry(name);
    return source !== undefined && dirname(sourcePath) === join(this.folder, name, source)
      ? source
      : undefined;
  }

  private async commit(name: string, entry: LibraryEntry): Promise<void> {
    await writeFileAtomic(join(this.folder, name, ENTRY_FILE), JSON.stringify(entry));
  }

  /** @returns the path of its entry. */
  private requireEntry(name: string): string {
    const path = join(this.folder, checkName(name), ENTRY_FILE);
    if (existsSync(path)) return path;
    throw new SluiceError(
      'not-found',
      `There is no model '${name}'. "sluice models list" shows what there is.`,
      { name },
    );
  }

  private entry(name: string): LibraryEntry {
    const path = this.requireEntry(name);
    const value = parseJson(path);
    refuseNewer(value, 'format', { path, what: 'a model of the library', known: ENTRY_FORMAT });
    const parsed = libraryEntry.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new SluiceError('corrupt-store', `${path} can't be read. Remove the model and import it again.`, {
      path,
    });
  }

  private storeFolder(name: string, entry: LibraryEntry): string {
    return join(this.folder, name, entry.store ?? '');
  }

  private refuseExisting(name: string, replace: boolean): void {
    if (replace || !existsSync(join(this.folder, name, ENTRY_FILE))) return;
    throw new SluiceError(
      'conflict',
      `There is a model '${name}' already. Choose another name, or replace it (--replace).`,
      { name },
    );
  }

  private pipelineSummary(
    base: Pick<ModelSummary, 'name' | 'task' | 'importedAt' | 'sourceFile'>,
    task: Extract<ModelTask, { kind: 'text' }>,
  ): ModelSummary {
    const parts = [task.detector, task.recognizer].map((part) => this.summary(part));
    const broken = parts.find((part) => part.state !== 'ready');
    const sum = (figure: (part: ModelSummary) => number): number =>
      parts.reduce((total, part) => total + figure(part), 0);
    return {
      ...base,
      state: broken?.state ?? 'ready',
      ...(broken ? { stateReason: `${broken.name}: ${broken.stateReason ?? ''}` } : {}),
      provider: parts[0]?.provider ?? 'cpu',
      weightBytes: sum((part) => part.weightBytes),
      layers: sum((part) => part.layers),
      largestLayerBytes: Math.max(...parts.map((part) => part.largestLayerBytes)),
      minimumBytes: sum((part) => part.minimumBytes),
      inputs: parts[0]?.inputs ?? [],
      outputs: parts[1]?.outputs ?? [],
    };
  }

  /** One model that can't be read must not hide the others. */
  private summaryOrFault(name: string): ModelSummary {
    try {
      return this.summary(name);
    } catch (error) {
      return {
        name,
        task: { kind: 'tensor' },
        importedAt: '',
        sourceFile: '',
        ...EMPTY_FIGURES,
        state: 'broken',
        stateReason: SluiceError.from(error).message,
      };
    }
  }
}

const EMPTY_FIGURES = {
  provider: 'cpu',
  weightBytes: 0,
  layers: 0,
  largestLayerBytes: 0,
  minimumBytes: 0,
  inputs: [],
  outputs: [],
} as const;

function storeFigures(
  manifest: StoreManifest,
): Omit<typeof EMPTY_FIGURES, keyof typeof EMPTY_FIGURES> & Pick<ModelSummary, keyof typeof EMPTY_FIGURES> {
  return {
    provider: manifest.provider,
    weightBytes: manifest.weightBytes,
    layers: manifest.layers.length,
    largestLayerBytes: Math.max(...manifest.layers.map((layer) => layer.byteLength)),
    minimumBytes: minimumBudget(manifest, 'async'),
    inputs: manifest.inputs,
    outputs: manifest.outputs,
  };
}

/** @returns the name of the folder in `folder` that the source's folder has become. @throws SluiceError `io`. */
async function takeSource(sourcePath: string, folder: string): Promise<string> {
  const source = `source-${randomBytes(6).toString('hex')}`;
  const [from, to] = [dirname(sourcePath), join(folder, source)];
  try {
    await rename(from, to).catch(async (cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EXDEV') throw cause;
      await cp(from, to, { recursive: true });
    });
  } catch (cause) {
    throw ioError(`Can't keep ${sourcePath}`, cause);
  }
  return source;
}

function requireFile(path: string): void {
  if (existsSync(path) && statSync(path).isFile()) return;
  throw new SluiceError('not-found', `There is no file ${path}. Give the path of an .onnx file.`, { path });
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (isDiskFault(cause)) throw ioError(`Can't read ${path}`, cause);
    throw new SluiceError(
      'corrupt-store',
      `${path} can't be read. Remove the model and import it again.`,
      { path },
      { cause },
    );
  }
}

/** Time stamps for people, not for logic. */
function now(): string {
  return new Date().toISOString();
}
