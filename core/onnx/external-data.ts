import { closeSync, fstatSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

import { isBelow, openBelow } from '../base';
import { SluiceError } from '../contract';

/** Where a tensor's bytes stand, as TensorProto.external_data has it. */
export interface ExternalEntry {
  readonly tensor: string;
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** No file is there, or no folder where one has to be on the way. */
const ABSENT: readonly string[] = ['ENOENT', 'ENOTDIR'];

interface KnownFile {
  readonly path: string;
  /** -1: absent or not a regular file; `problem` says which. */
  readonly sizeBytes: number;
  readonly problem: string;
}

/**
 * Resolves a model's external data files: only inside the folder of the model file (or of the file it is a link
 * to), because a model is untrusted and must not name files elsewhere. Collects what is missing; `finish` throws it.
 */
export class ExternalData {
  /** Real paths: files with its weights lie below one of them. */
  readonly folders: readonly string[];
  private readonly files = new Map<string, KnownFile>();
  private readonly faults: string[] = [];
  private readonly missing = new Set<string>();

  constructor(
    private readonly modelName: string,
    private readonly folder: string,
    /** Of the file that was opened: what its name leads to may have changed since. */
    realModelPath: string,
  ) {
    this.folders = [...new Set([realpathSync(folder), path.dirname(realModelPath)])];
  }

  /** @returns the file's absolute path. @throws SluiceError `bad-model` for a location outside the folder. */
  resolve(entry: ExternalEntry): string {
    const file = this.lookUp(entry);
    if (file.sizeBytes < 0) {
      this.missing.add(entry.location);
      this.faults.push(
        `tensor '${entry.tensor}': ${file.path} ${file.problem} (${entry.byteLength} bytes expected)`,
      );
    } else if (entry.offset + entry.byteLength > file.sizeBytes) {
      this.missing.add(entry.location);
      this.faults.push(
        `tensor '${entry.tensor}': expected ${entry.byteLength} bytes at byte ${entry.offset} of ${file.path}, ` +
          `found a file of ${file.sizeBytes} bytes`,
      );
    }
    return file.path;
  }

  /** @throws SluiceError `bad-model` listing every missing or short file. */
  finish(): void {
    if (this.missing.size === 0) return;
    const shown = this.faults.slice(0, 20);
    const more = this.faults.length - shown.length;
    throw new SluiceError(
      'bad-model',
      `${this.modelName}: external data is missing or too short in ${this.missing.size} file(s): ` +
        `${[...this.missing].join(', ')}; put them beside the model in ${this.folder}\n` +
        shown.map((fault) => `- ${fault}`).join('\n') +
        (more > 0 ? `\n- and ${more} more tensors` : ''),
      { file: this.modelName, missing: [...this.missing] },
    );
  }

  private lookUp(entry: ExternalEntry): KnownFile {
    const known = this.files.get(entry.location);
    if (known) return known;
    const file = this.inspect(entry);
    this.files.set(entry.location, file);
    return file;
  }

  private inspect(entry: ExternalEntry): KnownFile {
    const { location } = entry;
    if (location === '' || location.includes('\0')) this.refuse(entry, 'is not a file name');
    // A Windows path must be refused on every system: the same model must mean the same everywhere.
    if (path.isAbsolute(location) || path.win32.isAbsolute(location))
      this.refuse(entry, 'is an absolute path');
    const full = path.resolve(this.folder, location);
    if (!isBelow(path.resolve(this.folder), full)) this.refuse(entry, 'leads out of the folder of the model');
    try {
      return this.look(entry, full);
    } catch (thrown) {
      if (thrown instanceof SluiceError) throw thrown;
      const { code = String(thrown) } = thrown as NodeJS.ErrnoException;
      const problem = ABSENT.includes(code) ? 'does not exist' : `can't be opened (${code})`;
      return { path: full, sizeBytes: -1, problem };
    }
  }

  /** A link that leads out is not opened at all, one that was turned meanwhile not read. */
  private look(entry: ExternalEntry, full: string): KnownFile {
    const real = realpathSync(full);
    if (!this.folders.some((folder) => isBelow(folder, real))) {
      this.refuse(entry, `is a link to ${real}, outside the folder of the model`);
    }
    if (!statSync(full).isFile()) return { path: full, sizeBytes: -1, problem: 'is not a regular file' };
    const fd = openBelow(full, this.folders);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return { path: full, sizeBytes: -1, problem: 'is not a regular file' };
      return { path: full, sizeBytes: stats.size, problem: '' };
    } finally {
      closeSync(fd);
    }
  }

  private refuse(entry: ExternalEntry, why: string): never {
    throw new SluiceError(
      'bad-model',
      `${this.modelName}: tensor '${entry.tensor}': external data location '${entry.location}' ${why}; ` +
        `expected a relative path below ${this.folder}`,
      { file: this.modelName, tensor: entry.tensor },
    );
  }
}
