import { realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

import { SluiceError } from '../../contract';
import type { ModelDetail, ModelSummary } from '../../contract';
import { filesBeside, readModel } from '../../onnx';
import type { ModelFile } from '../../onnx';
import { sha256OfFile } from '../../storage';
import { ocrAssets } from '../../vision';
import { hasLanguageModel } from '../language/library/language-folder';
import { EXAMPLE_MODEL } from '../models/models';
import { pushedFolder } from '../models/uploads';

/** A file as it arrives: `name` is its place beside the model, with `/` between folders. */
export interface PushedFile extends ModelFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

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
  readonly files: readonly PushedFile[];
}

export interface NetworkLibrary {
  readonly summary: (name: string) => ModelSummary;
  readonly inspect: (name: string) => Promise<ModelDetail>;
  readonly sourcePath: (name: string) => string;
}

/** Finds the files of a model that boxes can import. */
export class ModelSources {
  constructor(
    private readonly networks: NetworkLibrary,
    private readonly dataDir: string,
    private readonly appRoot: string,
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
      sha256: file.sha256,
    }));
    return {
      name,
      kind: 'language',
      sha256,
      isFolder: listed !== undefined,
      files: listed ?? [{ path, name: `${name}.gguf`, bytes: fileBytes, sha256 }],
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
    const { sourceSha256, sourceBeside, provider } = await this.networks.inspect(name);
    const path = await this.sourceOf(name, sourceSha256);
    const model = await checked(name, { path }, `${name}.onnx`, sourceSha256, signal);
    const { graph } = await readModel(path, { signal });
    const beside: PushedFile[] = [];
    for (const file of filesBeside({ graph }, path)) {
      const place = relative(dirname(path), file.path).split(sep).join('/');
      const expected = sourceBeside?.find((each) => each.file === place)?.sha256;
      beside.push(await checked(name, file, place, expected, signal));
    }
    return {
      name,
      kind: 'network',
      provider,
      sha256: sourceSha256,
      isFolder: false,
      files: [model, ...beside],
    };
  }

  /** The library keeps compiled stores, which hold for one kind of processor: the file they came from is what can be sent. */
  private async sourceOf(name: string, sha256: string): Promise<string> {
    const sourcePath = this.networks.sourcePath(name);
    try {
      return await realpath(sourcePath);
    } catch (cause) {
      const shipped = await this.shipped(sha256);
      if (shipped !== undefined) return shipped;
      throw new SluiceError(
        'not-found',
        goneText(name, sourcePath, this.dataDir),
        { name, path: sourcePath },
        { cause },
      );
    }
  }

  /** An application that was updated, or starts from another place each time, has its example elsewhere now. */
  private async shipped(sha256: string): Promise<string | undefined> {
    const { detector, recognizer } = ocrAssets(this.appRoot);
    for (const path of [detector, recognizer]) {
      const found = await fileFacts({ path }).catch(() => undefined);
      if (found?.sha256 === sha256) return path;
    }
    return undefined;
  }
}

function goneText(name: string, sourcePath: string, dataDir: string): string {
  const why = 'Only that file can be sent, because what the library keeps is compiled for this machine.';
  return sourcePath.startsWith(pushedFolder(dataDir))
    ? `${name} was pushed here by another Sluice, and its files were not kept. ${why} Push it from there; or remove it here ` +
        'and push it here once more, with its files; or import it here from a file with --replace.'
    : `${name} was imported from ${sourcePath}, which is gone. ${why} Put it back, or import the model again from where it ` +
        'is, with --replace.';
}

async function fileFacts(
  { path, folders }: ModelFile,
  signal?: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { size } = await stat(path);
  return {
    bytes: size,
    sha256: await sha256OfFile(
      path,
      { offset: 0, byteLength: size, ...(folders && { folders }) },
      undefined,
      signal,
    ),
  };
}

/** @param expected SHA-256; unknown for weights of models that an older Sluice imported. @throws SluiceError `conflict`, `io`. */
async function checked(
  model: string,
  file: ModelFile,
  name: string,
  expected: string | undefined,
  signal: AbortSignal,
): Promise<PushedFile> {
  const { path } = file;
  const { bytes, sha256 } = await fileFacts(file, signal);
  if (expected === undefined || sha256 === expected) return { ...file, name, bytes, sha256 };
  throw new SluiceError(
    'conflict',
    `${path} is no longer what ${model} was imported from (SHA-256 ${sha256}, expected ${expected}). Import it again with ` +
      '--replace, then push.',
    { name: model, path },
  );
}
