import { mkdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { ioError, removeIfEmpty } from '../../storage';
import { FOLDER_FILES, readFolderSettings } from '../huggingface/read-model-folder';
import { INDEX_FILE, indexedFiles, SINGLE_FILE } from '../huggingface/weight-files';
import { Tokenizer } from '../tokenizer/tokenizer';
import { chooseFiles } from './choose-files';
import { downloadFile } from './download';
import { hubRepo, type HubRepo } from './hub-address';
import { listRepo, type HubFile, type HubListing } from './hub-client';
import { HubHttp, type HubSettings } from './hub-http';
import { discardDownload, downloadedBytes } from './partial-file';

/** What is to be had from a hub. */
export interface PullRequest {
  /** `owner/name`. */
  readonly repo: string;
  /** Default `main`. */
  readonly revision?: string;
  /** Path of a GGUF file in the repository, or of a folder's weights. */
  readonly file?: string;
  /** Where files are put, below folders as the repository has them; made when it is not there. */
  readonly folder: string;
  /** Told before anything is downloaded; what it throws ends the pull. */
  readonly onChosen: (chosen: ChosenModel) => void;
  readonly onProgress: (progress: PullProgress) => void;
}

export interface ChosenModel {
  readonly kind: 'gguf' | 'folder';
  /** The repository at the commit that is pulled. */
  readonly repo: HubRepo;
  /** Path of the GGUF file in the repository. */
  readonly file?: string;
  /** Why this file, when there were others. */
  readonly reason?: string;
}

export interface PullProgress {
  readonly path: string;
  /** Of all files. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface PulledModel extends ChosenModel {
  /** Of the GGUF file, or of the folder. */
  readonly path: string;
  readonly files: readonly HubFile[];
}

/** What must be left of a disk besides the files. */
const SPARE_BYTES = 64 << 20;

/**
 * Downloads a model: a GGUF file, or the files of a folder as transformers saves one. Broken off at any moment, the next
 * call goes on where it was.
 * @throws SluiceError as `listRepo`, `chooseFiles` and `downloadFile`, `io` when the disk has no room for it, and for a
 * folder that can't be run as `readFolderSettings`, before its weights are downloaded.
 */
export async function pullFiles(settings: HubSettings, request: PullRequest): Promise<PulledModel> {
  const wanted = hubRepo(request.repo, request.revision);
  const http = new HubHttp(settings);
  try {
    const listing = await listRepo(http, wanted);
    const { repo } = listing;
    const choice = chooseFiles(listing, request.file);
    const pull = new Pull(http, listing, request);
    if (choice.kind === 'folder') {
      const chosen = { kind: choice.kind, repo };
      await begin(request, chosen);
      return { ...chosen, path: request.folder, files: await pull.folder() };
    }
    const { file, reason } = choice;
    const chosen = { kind: choice.kind, repo, file: file.path, ...(reason !== undefined && { reason }) };
    await begin(request, chosen);
    await pull.download([file]);
    return { ...chosen, path: join(request.folder, file.path), files: [file] };
  } catch (cause) {
    throw ioError(`Can't pull ${request.repo}`, cause);
  } finally {
    await http.close();
  }
}

/** Removes what a pull downloaded, and nothing of other pulls into the same folder. @throws SluiceError `io`. */
export async function discardPulled(folder: string, { files }: Pick<PulledModel, 'files'>): Promise<void> {
  for (const { path } of files) {
    const target = join(folder, path);
    await discardDownload(target);
    for (let at = dirname(target); at.length >= folder.length; at = dirname(at)) await removeIfEmpty(at);
  }
}

async function begin({ onChosen, folder }: PullRequest, chosen: ChosenModel): Promise<void> {
  onChosen(chosen);
  await mkdir(folder, { recursive: true });
}

class Pull {
  private doneBytes = 0;

  constructor(
    private readonly http: HubHttp,
    private readonly listing: HubListing,
    private readonly request: PullRequest,
  ) {}

  /** The small files first: what can't be run need not come with its weights. */
  async folder(): Promise<readonly HubFile[]> {
    const { files } = this.listing;
    const isSingle = files.has(SINGLE_FILE);
    const names = isSingle ? FOLDER_FILES : [...FOLDER_FILES, INDEX_FILE];
    const small = names.flatMap((name) => files.get(name) ?? []);
    await this.download(small);
    const { tokenizer } = await readFolderSettings(this.request.folder);
    new Tokenizer(tokenizer());
    const weights = (isSingle ? [SINGLE_FILE] : await indexedFiles(this.request.folder)).map(
      (name) => files.get(name) ?? this.missing(name),
    );
    await this.download(weights);
    return [...small, ...weights];
  }

  async download(files: readonly HubFile[]): Promise<void> {
    const { request, http, listing } = this;
    await this.requireRoom(files);
    const totalBytes = this.doneBytes + files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const file of files) {
      const { path } = file;
      const onBytes = (bytes: number): void =>
        request.onProgress({ path, doneBytes: this.doneBytes + bytes, totalBytes });
      await downloadFile(http, listing.repo, { file, target: join(request.folder, path) }, { onBytes });
      this.doneBytes += file.bytes;
    }
  }

  private async requireRoom(files: readonly HubFile[]): Promise<void> {
    const { folder, repo } = this.request;
    let neededBytes = SPARE_BYTES;
    for (const file of files)
      neededBytes += file.bytes - (await downloadedBytes(join(folder, file.path), file));
    const { bavail, bsize } = await statfs(folder);
    const freeBytes = bavail * bsize;
    if (neededBytes <= freeBytes) return;
    throw new SluiceError(
      'io',
      `${repo} needs ${formatBytes(neededBytes)} more on the disk of ${folder}, and ${formatBytes(freeBytes)} are ` +
        'free. Free some space, or choose a smaller file or another --data-dir.',
      { neededBytes, freeBytes },
    );
  }

  private missing(name: string): never {
    throw new SluiceError(
      'not-found',
      `${this.request.repo} names ${name} in its ${INDEX_FILE} and has no such file.`,
    );
  }
}
