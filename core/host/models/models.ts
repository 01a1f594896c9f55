import { basename } from 'node:path';

import { SluiceError } from '../../contract';
import type { ModelDetail, ModelSummary, RemovedModel, RequestInput, VerifyReport } from '../../contract';
import { nameFromPath, profileStore } from '../../layering';
import type { Engine } from '../../layering';
import { ocrAssets } from '../../vision';
import type { EventBus } from '../event-bus';
import type { JobProgress, Jobs } from '../jobs';
import { hasLanguageModel } from '../language/library/language-folder';
import type { LoadedModels } from './loaded-models';
import type { Library } from './model-ports';
import { withTask } from './model-task';
import type { RemovedModels } from './removed-models';
import type { Log } from '../state-file';
import { discardUpload, isUpload } from './uploads';

export interface ModelsParts {
  readonly library: Library;
  readonly engine: Engine;
  readonly loaded: LoadedModels;
  readonly jobs: Jobs;
  readonly bus: EventBus;
  readonly removed: RemovedModels;
  readonly appRoot: string;
  readonly dataDir: string;
  readonly threads: number;
  readonly log: Log;
}

/** The shipped example: two networks and the pair of them. */
export const EXAMPLE_MODEL = { pipeline: 'ppocr', detector: 'ppocr-det', recognizer: 'ppocr-rec' };

type ImportInput = Omit<RequestInput<'models.import'>, 'jobId'>;
type ImportWork = Omit<ImportInput, 'keepSource'> & { readonly takesSource?: boolean };

/** The library as the requests see it: imports are jobs, models in use are not taken away. */
export class Models {
  constructor(private readonly parts: ModelsParts) {}

  /** What can be put back. */
  get removed(): RemovedModels {
    return this.parts.removed;
  }

  list(): readonly ModelSummary[] {
    return this.parts.library.list().map(withTask);
  }

  /** @throws SluiceError `not-found`. */
  summary(name: string): ModelSummary {
    return withTask(this.parts.library.summary(name));
  }

  /** The file a network was imported from, as far as it is still there. @throws SluiceError `not-found`. */
  sourcePath(name: string): string {
    return this.parts.library.sourcePath(name);
  }

  /** A text pipeline shows the layers of both its networks. @throws SluiceError `not-found`, `corrupt-store`. */
  async inspect(name: string): Promise<ModelDetail> {
    const { library } = this.parts;
    const { task } = this.summary(name);
    if (task.kind !== 'text') return withTask(await library.inspect(name));
    const members = await Promise.all(
      [task.detector, task.recognizer].map((member) => library.inspect(member)),
    );
    return pairDetail(this.summary(name), members);
  }

  /**
   * Compiles and profiles a model, as a job. Cancelled while profiling, a new model is taken out again.
   * @throws SluiceError `conflict`, `not-found`, `bad-model`, `unsupported`, `io`, `cancelled`.
   */
  async import(jobId: string, input: ImportInput): Promise<ModelSummary> {
    const { jobs, dataDir } = this.parts;
    const { keepSource = true, ...rest } = input;
    const subject = input.name ?? basename(input.path);
    const takesSource = keepSource && isUpload(dataDir, input.path);
    try {
      return await jobs.run({ id: jobId, kind: 'import', subject }, (report, signal) =>
        this.importAndProfile({ ...rest, takesSource }, report, signal),
      );
    } finally {
      await discardUpload(dataDir, input.path);
    }
  }

  /** Imports what is missing of the example. @throws SluiceError as `import`. */
  importExample(jobId: string): Promise<ModelSummary> {
    const { jobs, library, appRoot } = this.parts;
    const { pipeline, detector, recognizer } = EXAMPLE_MODEL;
    const assets = ocrAssets(appRoot);
    return jobs.run({ id: jobId, kind: 'import', subject: pipeline }, async (report, signal) => {
      for (const [name, path] of [
        [detector, assets.detector],
        [recognizer, assets.recognizer],
      ] as const) {
        if (this.list().some((model) => model.name === name && model.state === 'ready')) continue;
        const named = (progress: JobProgress): void =>
          report({ ...progress, phase: `${name}: ${progress.phase}` });
        await this.importAndProfile({ name, path, replace: true }, named, signal);
      }
      await library.addTextPipeline(pipeline, detector, recognizer);
      this.tell();
      return this.summary(pipeline);
    });
  }

  /** Reads everything and compares checksums, as a job. @throws SluiceError `not-found`, `cancelled`. */
  async verify(jobId: string, name: string): Promise<VerifyReport> {
    const { jobs, library } = this.parts;
    const { task } = this.summary(name);
    const members = task.kind === 'text' ? [task.detector, task.recognizer] : [name];
    return jobs.run({ id: jobId, kind: 'verify', subject: name }, async (report, signal) => {
      const reports: VerifyReport[] = [];
      for (const member of members) {
        const phase = members.length === 1 ? 'verify' : `${member}: verify`;
        const onBytes = (doneBytes: number, totalBytes: number): void =>
          report({ phase, doneBytes, totalBytes });
        reports.push(await library.verify(member, onBytes, signal));
      }
      return joinReports(name, reports);
    });
  }

  /**
   * Takes a model out of the library, for `removed` to keep.
   * @throws SluiceError `not-found`; `conflict` while a run, an import or a pipeline uses it; `io`.
   */
  async remove(name: string): Promise<RemovedModel> {
    // A text pipeline is never loaded itself, and a broken model can't be.
    await this.parts.loaded.evict(name);
    const removed = await this.parts.removed.remove(name);
    this.tell();
    return removed;
  }

  /** Takes a model out for good. @throws SluiceError `not-found`, `conflict` while it is used, `io`. */
  async discard(name: string): Promise<void> {
    const { library, loaded } = this.parts;
    await loaded.evict(name);
    await library.discard(await library.remove(name));
    this.tell();
  }

  /** @throws SluiceError `not-found` when it is gone for good; `conflict` when there is another of its name. */
  async restore(name: string): Promise<ModelSummary> {
    const summary = await this.parts.removed.restore(name);
    this.tell();
    return withTask(summary);
  }

  /** An import within a job of the caller's. @throws SluiceError as `import`. */
  async importAndProfile(
    input: ImportWork,
    report: (progress: JobProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelSummary> {
    const { library, threads, loaded } = this.parts;
    const { path: sourcePath, ...rest } = input;
    refuseLanguageName(this.parts.dataDir, input.name ?? nameFromPath(sourcePath));
    const known = new Set(this.list().map(({ name }) => name));
    if (input.name !== undefined && known.has(input.name) && input.replace === true)
      await loaded.evict(input.name);
    const { name } = await library.import({ ...rest, sourcePath, threads }, report, signal);
    // A store that was replaced may still be loaded under its old path.
    if (known.has(name)) await loaded.evict(name);
    await this.profile(name, report, signal, known.has(name));
    this.tell();
    return this.summary(name);
  }

  /** A model that can't be profiled still runs; only its predictions are missing. */
  private async profile(
    name: string,
    report: (progress: JobProgress) => void,
    signal: AbortSignal,
    isReplaced: boolean,
  ): Promise<void> {
    const { engine, library, log } = this.parts;
    // Its steps are not bytes, so their share is not told.
    const onProgress = (phase: string): void => report({ phase, doneBytes: 0, totalBytes: 0 });
    try {
      await profileStore(engine, library.storePath(name), onProgress, signal);
    } catch (thrown) {
      if (!signal.aborted) {
        log(`${name} was imported but not profiled: ${SluiceError.from(thrown).message}`);
        return;
      }
      if (!isReplaced) await library.discard(await library.remove(name));
      this.tell();
      throw thrown;
    }
  }

  private tell(): void {
    this.parts.bus.emit('models', this.list());
  }
}

/** Networks and language models share their names, so that a command needs no more than one. */
function refuseLanguageName(dataDir: string, name: string): void {
  if (!hasLanguageModel(dataDir, name)) return;
  throw new SluiceError('conflict', `There is a language model '${name}' already. Choose another name.`, {
    name,
  });
}

function pairDetail(summary: ModelSummary, members: readonly ModelDetail[]): ModelDetail {
  const [first] = members;
  if (!first) throw new SluiceError('internal', `${summary.name}: expected two networks, found none.`);
  const layers = members.flatMap((member) =>
    member.layerList.map((layer) => ({ ...layer, name: `${member.name}/${layer.name}` })),
  );
  return {
    ...first,
    ...summary,
    layerList: layers.map((layer, index) => ({ ...layer, index })),
    storePath: members.map(({ storePath }) => storePath).join(', '),
    storeBytes: members.reduce((sum, { storeBytes }) => sum + storeBytes, 0),
    sourceSha256: members.map(({ sourceSha256 }) => sourceSha256).join(', '),
    notes: members.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`)),
  };
}

function joinReports(name: string, reports: readonly VerifyReport[]): VerifyReport {
  return {
    name,
    ok: reports.every(({ ok }) => ok),
    layersChecked: reports.reduce((sum, { layersChecked }) => sum + layersChecked, 0),
    bytesChecked: reports.reduce((sum, { bytesChecked }) => sum + bytesChecked, 0),
    faults: reports.flatMap(({ faults }) => faults),
  };
}
