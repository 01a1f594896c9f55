import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  SluiceError,
  type ExecutionProvider,
  type ModelDetail,
  type ModelSummary,
  type ModelTask,
  type VerifyReport,
} from '../contract';
import { removeIfEmpty, writeFileAtomic } from '../storage';
import { compileInProcess } from './compile-client';
import { checkName, ENTRY_FILE, nameFromPath, readEntry, type LibraryEntry } from './library-entry';
import { readManifest, STORE_FORMAT, WEIGHTS_FILE } from './manifest';
import { lockModelFolder, sweepModelFolder, tidyModelFolder } from './model-folder';
import { brokenSummary, pipelineSummary, storeSummary, type LibraryHere } from './model-summary';
import {
  deleteAside,
  moveAside,
  moveBack,
  REMOVED_FOLDER,
  sweepAside,
  type RemovedFolder,
} from './moved-aside';
import { readProfile } from './profile-file';
import { requireFile, takeSource } from './source-file';
import { verifyStore } from './verify-store';

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
    if (entry.task.kind === 'text') {
      const { detector, recognizer } = entry.task;
      return pipelineSummary(base, [this.partSummary(name, detector), this.partSummary(name, recognizer)]);
    }
    return storeSummary(base, this.storeFolder(name, entry), this.here);
  }

  /** A pipeline of pipelines could be made of itself. @throws SluiceError as `summary`. */
  private partSummary(pipeline: string, part: string): ModelSummary {
    if (this.entry(part).task.kind !== 'text') return this.summary(part);
    const path = join(this.folder, pipeline, ENTRY_FILE);
    throw new SluiceError(
      'corrupt-store',
      `${path} is damaged (expected two networks, found that ${part} is itself made of others). ` +
        `Remove ${pipeline} and make it again.`,
      { path },
    );
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
    return { name, ...(await verifyStore(this.storePath(name), onBytes, signal)) };
  }

  /**
   * Takes a model out of the library; its bytes stay on disk until `discard`, or until this process is gone.
   * @throws SluiceError `not-found`, `conflict` while a pipeline uses it or an import replaces it, `io`.
   */
  async remove(name: string): Promise<RemovedFolder> {
    this.requireEntry(name);
    const user = this.list().find(
      ({ task, name: other }) =>
        other !== name && task.kind === 'text' && (task.detector === name || task.recognizer === name),
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
    return readEntry(this.requireEntry(name));
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

  /** One model that can't be read must not hide the others. */
  private summaryOrFault(name: string): ModelSummary {
    try {
      return this.summary(name);
    } catch (error) {
      return brokenSummary(name, error);
    }
  }
}

/** Time stamps for people, not for logic. */
function now(): string {
  return new Date().toISOString();
}
