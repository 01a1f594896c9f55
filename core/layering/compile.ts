import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { SluiceError } from '../contract';
import { filesBeside, tensorDataBytes } from '../onnx';
import type { ModelFile, OnnxModel } from '../onnx';
import { OrtEnvironment } from '../ort';
import { ioError, sha256OfFile, syncFolder, writeFileAtomic } from '../storage';
import type { CompileRequest } from './compile-request';
import { instructionSet } from './instruction-set';
import { LayerCompiler } from './layer-compiler';
import { MANIFEST_FILE, STORE_FORMAT, WEIGHTS_FILE, type StoreManifest } from './manifest';
import { optimiseModel, readSource } from './optimise';
import { packWeights, plannedBytes, type PackedLayer } from './pack';

export type CompilePhase = 'hash' | 'optimise' | 'partition' | 'pack' | 'commit';

export interface CompileProgress {
  readonly phase: CompilePhase;
  readonly doneBytes: number;
  /** 0: unknown. */
  readonly totalBytes: number;
}

/** Suffix of a store that is being written; what a killed process leaves is recognised by it. */
export const PARTIAL_SUFFIX = '.partial';

/**
 * Compiles an ONNX model into a layer store.
 * @param signal stops it between steps; nothing is left behind.
 * @throws SluiceError `bad-model`, `unsupported`, `runtime`, `io`, `cancelled`.
 */
export async function compileStore(
  request: CompileRequest,
  onProgress: (progress: CompileProgress) => void,
  signal?: AbortSignal,
): Promise<StoreManifest> {
  const staging = `${request.storePath}${PARTIAL_SUFFIX}`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(join(staging, 'layers'), { recursive: true }).catch((error: unknown) => {
    throw ioError(`Can't create ${staging}`, error);
  });
  try {
    const manifest = await fillStore(request, staging, new Progress(onProgress, signal));
    await writeFileAtomic(join(staging, MANIFEST_FILE), JSON.stringify(manifest));
    await rename(staging, request.storePath);
    await syncFolder(dirname(request.storePath));
    return manifest;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw SluiceError.from(error);
  }
}

/** Reports phases and turns an aborted signal into `cancelled` between them. */
class Progress {
  private doneBytes = 0;
  private totalBytes = 0;
  private phase: CompilePhase = 'hash';

  constructor(
    private readonly report: (progress: CompileProgress) => void,
    readonly signal: AbortSignal | undefined,
  ) {}

  enter(phase: CompilePhase, totalBytes = 0): void {
    if (this.signal?.aborted) throw new SluiceError('cancelled', 'The import was cancelled.');
    this.phase = phase;
    this.doneBytes = 0;
    this.totalBytes = totalBytes;
    this.tell();
  }

  readonly add = (bytes: number): void => {
    this.doneBytes += bytes;
    this.tell();
  };

  private tell(): void {
    this.report({ phase: this.phase, doneBytes: this.doneBytes, totalBytes: this.totalBytes });
  }
}

async function fillStore(
  request: CompileRequest,
  staging: string,
  progress: Progress,
): Promise<StoreManifest> {
  const { sourcePath, provider } = request;
  const model = await readSource(sourcePath);
  const source = await hashSource(sourcePath, model, progress);
  const weightBytes = model.graph.initializers.reduce((sum, tensor) => sum + tensorDataBytes(tensor), 0);

  progress.enter('optimise', weightBytes);
  const environment = OrtEnvironment.open({ threads: request.threads });
  try {
    const optimised = await optimiseModel(environment, model, sourcePath, staging, provider);
    progress.enter('partition');
    const compiler = new LayerCompiler(environment, optimised, request);
    const specs = compiler.describeEnds();
    const layers = compiler.cut();
    progress.enter('pack', plannedBytes(layers));
    const packed = await packWeights(layers, join(staging, WEIGHTS_FILE), {
      onBytes: progress.add,
      signal: progress.signal,
    });
    progress.enter('commit');
    const records = await compiler.writeLayers(layers, packed, staging);
    await removeOptimiserFiles(staging);
    return {
      format: STORE_FORMAT,
      runtimeVersion: environment.version,
      instructionSet: instructionSet(),
      provider,
      source,
      opsets: [...optimised.opsets],
      irVersion: optimised.irVersion,
      ...specs,
      weightBytes: parameterBytes(weightBytes, packed),
      layers: records,
      values: compiler.boundaryValues(layers),
      notes: compiler.notes,
    };
  } finally {
    environment.close();
  }
}

/** By its files a model is known elsewhere: what lies beside it can change as its own file can. */
async function hashSource(
  sourcePath: string,
  model: OnnxModel,
  progress: Progress,
): Promise<StoreManifest['source']> {
  const files: readonly ModelFile[] = [{ path: sourcePath }, ...filesBeside(model, sourcePath)];
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size));
  progress.enter(
    'hash',
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const hashed: { file: string; sha256: string; byteLength: number }[] = [];
  for (const [at, { path, folders }] of files.entries()) {
    const byteLength = sizes[at] ?? 0;
    const range = { offset: 0, byteLength, ...(folders && { folders }) };
    const sha256 = await sha256OfFile(path, range, progress.add, progress.signal);
    const file = at === 0 ? basename(path) : relative(dirname(sourcePath), path).split(sep).join('/');
    hashed.push({ file, sha256, byteLength });
  }
  const [own, ...beside] = hashed;
  if (own === undefined) throw new SluiceError('internal', `${sourcePath}: expected its hash, found none.`);
  return { ...own, ...(beside.length > 0 && { beside }) };
}

/**
 * W: the bytes of the model's initializers. Where those are nothing to what came out (a graph that computes its
 * weights from constants, which the optimiser folds), the folded ones count.
 */
function parameterBytes(initializerBytes: number, packed: readonly PackedLayer[]): number {
  const packedBytes = packed.reduce((sum, layer) => sum + layer.byteLength, 0);
  return initializerBytes < packedBytes / 4 ? packedBytes : initializerBytes;
}

async function removeOptimiserFiles(staging: string): Promise<void> {
  for (const name of ['optimised.onnx', 'optimised.weights']) await rm(join(staging, name), { force: true });
}
