import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

import { SluiceError } from '../../contract';
import type { ModelDetail, ModelSummary } from '../../contract';
import { readModel } from '../../onnx';
import { sha256OfFile } from '../../storage';
import { hasLanguageModel } from '../language/library/language-folder';
import { EXAMPLE_MODEL } from '../models';

/** A model of this library as boxes are to have it. */
export interface PushedModel {
  readonly name: string;
  /** `example`: the one that every Sluice ships; a box imports its own. */
  readonly kind: 'network' | 'language' | 'example';
  readonly provider?: string;
  /** By which a box is known to have it: of the file it was imported from. Absent for the example. */
  readonly sha256?: string;
  /** A folder's files come to lie in a folder there. */
  readonly isFolder: boolean;
  /** The model first, then what lies beside it. */
  readonly files: readonly { readonly path: string; readonly name: string; readonly bytes: number }[];
}

export interface NetworkLibrary {
  readonly summary: (name: string) => ModelSummary;
  readonly inspect: (name: string) => Promise<ModelDetail>;
  readonly sourcePath: (name: string) => string;
}

/** Names that an upload keeps as they are. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/** Finds the files of a model that boxes can import. */
export class ModelSources {
  constructor(
    private readonly networks: NetworkLibrary,
    private readonly dataDir: string,
  ) {}

  /**
   * @throws SluiceError `not-found` when there is no such model, or not the file it came from; `conflict` when that file is
   * another one now; `unsupported` for what can't be sent.
   */
  async open(name: string, signal: AbortSignal): Promise<PushedModel> {
    return hasLanguageModel(this.dataDir, name) ? this.language(name) : this.network(name, signal);
  }

  private async language(name: string): Promise<PushedModel> {
    const { LanguageLibrary } = await import('../language/library/language-library');
    const entry = new LanguageLibrary(this.dataDir).entry(name);
    if (entry.state !== 'ready')
      throw new SluiceError('corrupt-store', `${name}: ${entry.stateReason ?? ''}`);
    const { path, sha256, files, fileBytes } = entry;
    const listed = files?.map((file) => ({
      path: join(path, file.name),
      name: file.name,
      bytes: file.bytes,
    }));
    return {
      name,
      kind: 'language',
      sha256,
      isFolder: listed !== undefined,
      files: listed ?? [{ path, name: `${name}.gguf`, bytes: fileBytes }],
    };
  }

  private async network(name: string, signal: AbortSignal): Promise<PushedModel> {
    const { task } = this.networks.summary(name);
    if (name === EXAMPLE_MODEL.pipeline) return { name, kind: 'example', isFolder: false, files: [] };
    if (task.kind === 'text') {
      throw new SluiceError(
        'unsupported',
        `${name} is made of ${task.detector} and ${task.recognizer}. Push those two, and join them on the box.`,
        { name },
      );
    }
    const { sourceSha256, provider } = await this.networks.inspect(name);
    const path = await sourceOf(name, this.networks.sourcePath(name), sourceSha256, signal);
    const { size } = await stat(path);
    const model = { path, name: `${name}.onnx`, bytes: size };
    const beside = await dataBeside(name, path, signal);
    return {
      name,
      kind: 'network',
      provider,
      sha256: sourceSha256,
      isFolder: false,
      files: [model, ...beside],
    };
  }
}

/** The library keeps compiled stores, which hold for one kind of processor: the file they came from is what can be sent. */
async function sourceOf(
  name: string,
  sourcePath: string,
  expected: string,
  signal: AbortSignal,
): Promise<string> {
  let path: string;
  try {
    path = await realpath(sourcePath);
  } catch (cause) {
    throw new SluiceError(
      'not-found',
      `${name} was imported from ${sourcePath}, which is gone. Only that file can be sent, because what the library ` +
        'keeps is compiled for this machine. Put it back, or import the model again from where it is.',
      { name, path: sourcePath },
      { cause },
    );
  }
  const range = { offset: 0, byteLength: (await stat(path)).size };
  const found = await sha256OfFile(path, range, undefined, signal);
  if (found === expected) return path;
  throw new SluiceError(
    'conflict',
    `${path} is no longer what ${name} was imported from (SHA-256 ${found}, expected ${expected}). Import it again with ` +
      '--replace, then push.',
    { name, path },
  );
}

async function dataBeside(name: string, path: string, signal: AbortSignal): Promise<PushedModel['files']> {
  const { graph } = await readModel(path, { signal });
  const locations = new Set(
    graph.initializers.flatMap(({ data }) => (data.kind === 'file' && data.path !== path ? [data.path] : [])),
  );
  return Promise.all(
    [...locations].map(async (file) => {
      const location = relative(dirname(path), file);
      if (!PLAIN_NAME.test(location)) {
        throw new SluiceError(
          'unsupported',
          `${name} has weights in ${location}. Only files beside the model with plain names can be sent: save it in ` +
            'one file, and import that.',
          { name, file },
        );
      }
      return { path: file, name: basename(file), bytes: (await stat(file)).size };
    }),
  );
}
