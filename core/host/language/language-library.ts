import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { checkName, nameFromPath } from '../../layering';
import { readLanguageModelFacts } from '../../llm';
import {
  ioError,
  processFolder,
  removeIfEmpty,
  sha256OfFile,
  sweepProcessFolders,
  syncFolder,
  writeFileAtomic,
} from '../../storage';
import { isoTime, systemClock } from '../host-clock';
import { hasLanguageModel, languageFolder, MANIFEST_FILE } from './language-folder';
import { linkOrCopy } from './link-or-copy';

const MODEL_FILE = 'model.gguf';
/** Models that are coming or going, below a folder of the process at work; no model can have the name. */
const MOVING_FOLDER = '.moving';
const ENTRY_OF_NETWORK = 'entry.json';

const count = z.number().int().nonnegative();
const manifestSchema = z.object({
  format: z.literal(1),
  architecture: z.string(),
  quantisation: z.string(),
  parameters: count,
  weightBytes: count,
  layers: count,
  contextLength: count,
  /** 0: imported before this was written down. */
  cacheBytesPerToken: count.default(0),
  vocabularySize: count,
  hasChatTemplate: z.boolean(),
  fileBytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sourceFile: z.string(),
  importedAt: z.string(),
});
type Manifest = z.infer<typeof manifestSchema>;

export interface LanguageModelEntry extends Omit<Manifest, 'format'> {
  readonly name: string;
  /** Absolute path of the GGUF file. */
  readonly path: string;
  readonly state: 'ready' | 'broken';
  readonly stateReason?: string;
}

export interface LanguageImport {
  readonly path: string;
  /** Default: from the file name. */
  readonly name?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (phase: string, doneBytes: number, totalBytes: number) => void;
}

/**
 * Language models on this machine: `language/NAME/` holds the GGUF file and what is known of it. A model's folder comes
 * and goes in one step, so that killed at any moment it is there whole or not at all.
 */
export class LanguageLibrary {
  private readonly folder: string;

  constructor(private readonly dataDir: string) {
    this.folder = languageFolder(dataDir);
  }

  has(name: string): boolean {
    return hasLanguageModel(this.dataDir, checkName(name));
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
    const path = join(this.folder, name, MODEL_FILE);
    const parsed = manifestSchema.safeParse(parseJson(join(this.folder, name, MANIFEST_FILE)));
    if (!parsed.success) {
      const reason = `${join(this.folder, name, MANIFEST_FILE)} can't be read.`;
      return { ...NOTHING_KNOWN, name, path, state: 'broken', stateReason: `${reason} ${GET_AGAIN}` };
    }
    const { format: _format, ...known } = parsed.data;
    const foundBytes = existsSync(path) ? statSync(path).size : 0;
    if (foundBytes === known.fileBytes) return { ...known, name, path, state: 'ready' };
    const stateReason = `${path}: expected ${known.fileBytes} bytes, found ${foundBytes}. ${GET_AGAIN}`;
    return { ...known, name, path, state: 'broken', stateReason };
  }

  /**
   * Takes a GGUF file in: linked where the file system can, else copied.
   * @throws SluiceError `not-found`, `bad-model`, `unsupported` (what can't be run), `conflict` (the name is taken), `io`,
   * `cancelled`.
   */
  async import(request: LanguageImport): Promise<LanguageModelEntry> {
    const { path, signal, onProgress = () => undefined } = request;
    const name = checkName(request.name ?? nameFromPath(path));
    this.refuseTaken(name);
    const facts = await readLanguageModelFacts(path, signal ? { signal } : {});
    const staged = await this.movingFolder(name);
    try {
      const source = await realpath(path);
      const file = join(staged, MODEL_FILE);
      const fileBytes = await linkOrCopy(source, file, {
        onBytes: (done, total) => onProgress('copy', done, total),
        ...(signal && { signal }),
      });
      const sha256 = await this.hash(file, fileBytes, request, 'check');
      const manifest: Manifest = {
        format: 1,
        ...facts,
        fileBytes,
        sha256,
        sourceFile: basename(path),
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

  /** Reads the whole file. @returns whether it is what was imported. @throws SluiceError `not-found`, `cancelled`. */
  async verify(name: string, options: Pick<LanguageImport, 'signal' | 'onProgress'>): Promise<VerifiedFile> {
    const { state, stateReason, path, fileBytes, sha256 } = this.entry(name);
    if (state === 'broken') return { ok: false, fileBytes: 0, fault: stateReason ?? '' };
    const found = await this.hash(path, fileBytes, options, 'verify');
    if (found === sha256) return { ok: true, fileBytes };
    return {
      ok: false,
      fileBytes,
      fault: `${path}: expected SHA-256 ${sha256}, found ${found}. ${GET_AGAIN}`,
    };
  }

  /** @returns bytes that were freed, 0 where the file is still there under another name. @throws SluiceError `not-found`, `io`. */
  async remove(name: string): Promise<number> {
    const { path } = this.entry(name);
    const freed = existsSync(path) && statSync(path).nlink === 1 ? statSync(path).size : 0;
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

  private hash(
    path: string,
    bytes: number,
    { signal, onProgress }: Pick<LanguageImport, 'signal' | 'onProgress'>,
    phase: string,
  ): Promise<string> {
    let done = 0;
    const onBytes = (more: number): void => onProgress?.(phase, (done += more), bytes);
    return sha256OfFile(path, { offset: 0, byteLength: bytes }, onBytes, signal);
  }

  private refuseTaken(name: string): void {
    const isNetwork = existsSync(join(this.dataDir, 'models', name, ENTRY_OF_NETWORK));
    if (!isNetwork && !this.has(name)) return;
    throw new SluiceError(
      'conflict',
      `There is a model '${name}' already. Choose another --name, or remove it first: sluice models remove ${name}`,
      { name },
    );
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
        this.refuseTaken(name);
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

export interface VerifiedFile {
  readonly ok: boolean;
  /** That were read. */
  readonly fileBytes: number;
  readonly fault?: string;
}

const GET_AGAIN = 'Remove the model and import it again.';
const NOTHING_KNOWN = {
  architecture: '',
  quantisation: '',
  parameters: 0,
  weightBytes: 0,
  layers: 0,
  contextLength: 0,
  cacheBytesPerToken: 0,
  vocabularySize: 0,
  hasChatTemplate: false,
  fileBytes: 0,
  sha256: '',
  sourceFile: '',
  importedAt: '',
} as const;

/** @returns undefined for what is no JSON, or can't be read. */
function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
