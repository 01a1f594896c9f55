import { mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import { modelFolderFiles, openFolderText } from '../../../llm';
import { sha256Hex, sha256OfFile, syncFolder } from '../../../storage';
import type { LanguageManifest, ManifestFile } from './language-manifest';
import { copyFile, linkOrCopy } from './link-or-copy';

/** What a model is called in its folder of the library: one file, or a folder of files. */
export const MODEL_FILE = 'model.gguf';
export const MODEL_FOLDER = 'model';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (phase: string, doneBytes: number, totalBytes: number) => void;
}

type Stored = Pick<LanguageManifest, 'files' | 'fileBytes' | 'sha256'>;
interface Request extends ReadOptions {
  /** Of the file or folder. */
  readonly path: string;
}

/** Puts a GGUF file into a folder. @throws SluiceError `io`, `cancelled`. */
export async function storeFile(folder: string, request: Request): Promise<Stored> {
  const file = join(folder, MODEL_FILE);
  const source = await realpath(request.path);
  const { size } = await stat(source);
  const fileBytes = await linkOrCopy(source, file, copyOptions(new ByteProgress('copy', size, request)));
  const sha256 = await new ByteProgress('check', fileBytes, request).hash(file, fileBytes);
  return { fileBytes, sha256 };
}

/**
 * Puts the files of a model's folder into another: weights are linked where the file system can. The others are copied:
 * they are small, and a text editor may write into the file that is there.
 * @throws SluiceError `bad-model`, `io`, `cancelled`.
 */
export async function storeFolder(folder: string, request: Request): Promise<Stored> {
  const target = join(folder, MODEL_FOLDER);
  await mkdir(target);
  const names = await modelFolderFiles(request.path);
  const sources = await Promise.all(names.map((name) => realpath(join(request.path, name))));
  const sizes = await Promise.all(sources.map(async (source) => (await stat(source)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const copying = copyOptions(new ByteProgress('copy', totalBytes, request));
  const checking = new ByteProgress('check', totalBytes, request);
  const files: ManifestFile[] = [];
  for (const [index, name] of names.entries()) {
    const file = join(target, name);
    const source = sources[index]!;
    const bytes = name.endsWith('.safetensors')
      ? await linkOrCopy(source, file, copying)
      : await copyFile(source, file, copying, openText(request.path, name));
    files.push({ name, bytes, sha256: await checking.hash(file, bytes) });
  }
  await syncFolder(target);
  const list = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
  return {
    files,
    fileBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    sha256: sha256Hex(Buffer.from(list)),
  };
}

function openText(folder: string, name: string): number {
  const fd = openFolderText(folder, name);
  if (fd !== undefined) return fd;
  throw new SluiceError('io', `${join(folder, name)} went away while it was imported. Try again.`);
}

function copyOptions(progress: ByteProgress): Parameters<typeof linkOrCopy>[2] {
  const { signal } = progress.options;
  return { onBytes: (bytes) => progress.add(bytes), ...(signal && { signal }) };
}

/** Tells how far a phase over several files is. */
export class ByteProgress {
  private doneBytes = 0;

  constructor(
    private readonly phase: string,
    private readonly totalBytes: number,
    readonly options: ReadOptions,
  ) {}

  add(bytes: number): void {
    this.doneBytes += bytes;
    this.options.onProgress?.(this.phase, this.doneBytes, this.totalBytes);
  }

  /** SHA-256 of a whole file. @throws SluiceError `io`, `cancelled`. */
  hash(path: string, byteLength: number): Promise<string> {
    const onBytes = (bytes: number): void => this.add(bytes);
    return sha256OfFile(path, { offset: 0, byteLength }, onBytes, this.options.signal);
  }
}
