import { basename } from 'node:path';

import { SluiceError } from '../../../contract';
import type { LanguageModelSummary, RequestInput, VerifyReport } from '../../../contract';
import type { EventBus } from '../../event-bus';
import type { JobProgress, Jobs } from '../../jobs';
import { discardUpload } from '../../models/uploads';
import type { LanguageLibrary, LanguageModelEntry } from './language-library';
import type { LoadedLanguageModel } from '../conversations/loaded-language-model';

export interface PullOptions extends Omit<RequestInput<'language.pull'>, 'jobId'> {
  readonly signal: AbortSignal;
  readonly onProgress: (phase: string, doneBytes: number, totalBytes: number) => void;
}

/** Downloads a model into the library; what was downloaded before is not again. @returns its name in the library. */
export type PullModel = (options: PullOptions) => Promise<string>;

export interface LanguageModelsParts {
  readonly library: LanguageLibrary;
  readonly loaded: LoadedLanguageModel;
  readonly jobs: Jobs;
  readonly bus: EventBus;
  readonly dataDir: string;
  /** Absent: this engine downloads none. */
  readonly pullModel?: PullModel;
}

/** Language models as the requests see them: imports are jobs, one that writes a reply is not taken away. */
export class LanguageModels {
  constructor(private readonly parts: LanguageModelsParts) {}

  list(): readonly LanguageModelSummary[] {
    return this.parts.library.list().map(summaryOf);
  }

  /**
   * Takes a model's file in, as a job.
   * @throws SluiceError `conflict`, `not-found`, `bad-model`, `unsupported`, `io`, `cancelled`.
   */
  async import(
    jobId: string,
    { path, name }: Omit<RequestInput<'language.import'>, 'jobId'>,
  ): Promise<LanguageModelSummary> {
    const { jobs, library, dataDir } = this.parts;
    try {
      return await jobs.run(
        { id: jobId, kind: 'import', subject: name ?? basename(path) },
        async (report, signal) => {
          const request = { path, signal, onProgress: told(report), ...(name !== undefined && { name }) };
          const entry = await library.import(request);
          this.tell();
          return summaryOf(entry);
        },
      );
    } finally {
      await discardUpload(dataDir, path);
    }
  }

  /**
   * Downloads a model from a hub, as a job. @throws SluiceError `unsupported` when this engine downloads none; what the
   * download throws; `cancelled`.
   */
  async pull(
    jobId: string,
    input: Omit<RequestInput<'language.pull'>, 'jobId'>,
  ): Promise<LanguageModelSummary> {
    const { jobs, library, pullModel } = this.parts;
    const { repository } = input;
    if (!pullModel) {
      throw new SluiceError(
        'unsupported',
        `This engine can't download ${repository}: no download from a hub is wired to language.pull. Get the file another way and import it.`,
        { repository },
      );
    }
    return jobs.run({ id: jobId, kind: 'pull', subject: repository }, async (report, signal) => {
      const name = await pullModel({ ...input, signal, onProgress: told(report) });
      this.tell();
      return summaryOf(library.entry(name));
    });
  }

  /** Reads the whole model and compares checksums, as a job. @throws SluiceError `not-found`, `cancelled`. */
  async verify(jobId: string, name: string): Promise<VerifyReport> {
    const { jobs, library } = this.parts;
    const { layers } = library.entry(name);
    return jobs.run({ id: jobId, kind: 'verify', subject: name }, async (report, signal) => {
      const found = await library.verify(name, { signal, onProgress: told(report) });
      const { fileBytes } = found;
      const faults = found.faults.map(({ file, problem }) => ({ layer: file, problem }));
      const ok = faults.length === 0;
      return { name, ok, layersChecked: fileBytes > 0 ? layers : 0, bytesChecked: fileBytes, faults };
    });
  }

  /** Conversations with it stay. @throws SluiceError `not-found`; `conflict` while it writes a reply; `io`. */
  async remove(name: string): Promise<void> {
    const { loaded, library } = this.parts;
    library.entry(name);
    await loaded.evict(name);
    await library.remove(name);
    this.tell();
  }

  private tell(): void {
    this.parts.bus.emit('languageModels', this.list());
  }
}

function told(report: (progress: JobProgress) => void): PullOptions['onProgress'] {
  return (phase, doneBytes, totalBytes) => report({ phase, doneBytes, totalBytes });
}

function summaryOf(entry: LanguageModelEntry): LanguageModelSummary {
  const { name, state, stateReason, architecture, quantisation, parameters, weightBytes, layers } = entry;
  const { contextLength, cacheBytesPerToken, hasChatTemplate, importedAt, sourceFile, sha256 } = entry;
  return {
    name,
    state,
    ...(stateReason !== undefined && { stateReason }),
    architecture,
    quantisation,
    parameters,
    weightBytes,
    layers,
    contextLength,
    cacheBytesPerToken,
    hasChatTemplate,
    importedAt,
    sourceFile,
    ...(sha256 !== '' && { sha256 }),
  };
}
