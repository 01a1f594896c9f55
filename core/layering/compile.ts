import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dtypeNameOf, elementBytes } from '../base';
import { SluiceError, type ExecutionProvider } from '../contract';
import { encodeModel, tensorDataBytes, type OnnxModel } from '../onnx';
import { OrtEnvironment, OrtSession } from '../ort';
import { ioError, sha256OfFile, syncFolder, writeFileAtomic } from '../storage';
import { instructionSet } from './instruction-set';
import { layerModel, type GraphContext, type ValueRecord } from './layer-graph';
import { MANIFEST_FILE, STORE_FORMAT, WEIGHTS_FILE, type LayerRecord, type StoreManifest } from './manifest';
import { inferValues, optimiseModel, readSource } from './optimise';
import { packWeights, plannedBytes, type PackedLayer } from './pack';
import { partition, type LayerDraft } from './partition';

export interface CompileRequest {
  readonly sourcePath: string;
  /** Folder the store appears at, whole or not at all. Must not exist. */
  readonly storePath: string;
  readonly provider: ExecutionProvider;
  /** Threads runs will have; decides how finely matrix products may be tiled. */
  readonly threads: number;
}

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
  const { size } = await stat(sourcePath);
  progress.enter('hash', size);
  const sha256 = await sha256OfFile(
    sourcePath,
    { offset: 0, byteLength: size },
    progress.add,
    progress.signal,
  );
  const weightBytes = model.graph.initializers.reduce((sum, tensor) => sum + tensorDataBytes(tensor), 0);

  progress.enter('optimise', weightBytes);
  const environment = OrtEnvironment.open({ threads: request.threads });
  try {
    const optimised = await optimiseModel(environment, model, sourcePath, staging, provider);
    progress.enter('partition');
    const compiler = new LayerCompiler(environment, optimised, request);
    const layers = compiler.cut();
    progress.enter('pack', plannedBytes(layers));
    const packed = await packWeights(layers, join(staging, WEIGHTS_FILE), {
      onBytes: progress.add,
      signal: progress.signal,
    });
    progress.enter('commit');
    const records = await compiler.writeLayers(layers, packed, staging);
    await removeOptimiserFiles(staging);
    const specs = compiler.describeEnds();
    return {
      format: STORE_FORMAT,
      runtimeVersion: environment.version,
      instructionSet: instructionSet(),
      provider,
      source: { file: basename(sourcePath), sha256, byteLength: size },
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

/** Cuts an optimised model into layers that ONNX Runtime accepts one by one. */
class LayerCompiler {
  readonly notes: string[] = [];
  private readonly values: Map<string, ValueRecord>;
  private readonly context: GraphContext;

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly model: OnnxModel,
    private readonly request: CompileRequest,
  ) {
    this.context = model;
    this.values = inferValues(environment, model);
  }

  /** @throws SluiceError `unsupported` naming a layer that fails even with its weights as constants. */
  cut(): LayerDraft[] {
    const pinned = new Set<string>();
    for (;;) {
      const layers = this.partition(pinned);
      const refused = layers.filter((layer) => !this.accepts(layer, pinned));
      if (refused.length === 0) return layers;
      for (const name of refused.flatMap((layer) => layer.weights.map((weight) => weight.tensor.name))) {
        pinned.add(name);
      }
    }
  }

  private partition(pinned: ReadonlySet<string>): LayerDraft[] {
    const shapes = new Map([...this.values].map(([name, value]) => [name, value.shape]));
    // Partitioning rewrites nodes, so each attempt works on its own copies.
    const nodes = this.model.graph.nodes.map((node) => ({ ...node, attributes: [...node.attributes] }));
    return partition(
      { ...this.model.graph, nodes },
      { shapes, threads: this.request.threads, pinned, rewrites: this.request.provider === 'cpu' },
    );
  }

  /** Whether sessions can be made of it; notes the reason when its weights have to stay constants. */
  private accepts(layer: LayerDraft, pinned: ReadonlySet<string>): boolean {
    for (const name of [...layer.inputs, ...layer.outputs]) this.requireTensor(name);
    try {
      const session = OrtSession.create(this.environment, this.encode(layer), {
        optimization: 'none',
        provider: this.request.provider,
      });
      session.release();
      return true;
    } catch (error) {
      const reason = SluiceError.from(error).message;
      const name = layerName(layer, 0);
      if (layer.weights.every((weight) => pinned.has(weight.tensor.name))) {
        throw new SluiceError(
          'unsupported',
          `Layer ${name} can't run on ${this.request.provider}: ${reason}`,
          {
            layer: name,
          },
        );
      }
      this.notes.push(`The weights of ${name} stay in memory as constants: ${reason}`);
      return false;
    }
  }

  private requireTensor(name: string): void {
    const value = this.values.get(name);
    if (value) {
      requireFixedSize(name, value.dtype);
      return;
    }
    throw new SluiceError(
      'unsupported',
      `Value ${name} crosses a layer border but is not a tensor (a sequence, map or optional). ` +
        'Export the model with tensors only.',
      { value: name },
    );
  }

  private encode(layer: LayerDraft): Uint8Array {
    return encodeModel(layerModel(layer, this.values, this.context));
  }

  /** Writes each layer's graph beside the weights. */
  async writeLayers(
    layers: readonly LayerDraft[],
    packed: readonly PackedLayer[],
    folder: string,
  ): Promise<LayerRecord[]> {
    const records: LayerRecord[] = [];
    for (const [index, layer] of layers.entries()) {
      const place = packed[index];
      if (!place) throw new Error(`Layer ${index} was not packed.`);
      const graph = `layers/${String(index).padStart(4, '0')}.onnx`;
      await writeFile(join(folder, graph), this.encode(layer)).catch((error: unknown) => {
        throw ioError(`Can't write ${graph}`, error);
      });
      records.push(toRecord(layer, index, place, graph));
    }
    return records;
  }

  describeEnds(): Pick<StoreManifest, 'inputs' | 'outputs'> {
    const { inputs, outputs } = this.model.graph;
    return {
      inputs: inputs.map((end) => this.describe(end.name)),
      outputs: outputs.map((end) => this.describe(end.name)),
    };
  }

  private describe(name: string): StoreManifest['inputs'][number] {
    const value = this.values.get(name);
    if (!value)
      throw new SluiceError('unsupported', `Model input or output ${name} is not a tensor.`, { value: name });
    requireFixedSize(name, value.dtype);
    return { name, dtype: dtypeNameOf(value.dtype), shape: [...value.shape] };
  }

  boundaryValues(layers: readonly LayerDraft[]): StoreManifest['values'] {
    const names = new Set(layers.flatMap((layer) => [...layer.inputs, ...layer.outputs]));
    return Object.fromEntries(
      [...names].flatMap((name) => {
        const value = this.values.get(name);
        return value ? [[name, { dtype: value.dtype, shape: [...value.shape] }]] : [];
      }),
    );
  }
}

/** Activations live in memory planned beforehand, which strings can't. */
function requireFixedSize(name: string, dtype: number): void {
  if (elementBytes(dtype) > 0) return;
  throw new SluiceError(
    'unsupported',
    `Value ${name} has elements of type ${dtypeNameOf(dtype)}, which have no fixed size in bytes. ` +
      'Split such pre- or post-processing (tokenizers, label tables) off the model.',
    { value: name },
  );
}

function toRecord(layer: LayerDraft, index: number, place: PackedLayer, graph: string): LayerRecord {
  const tiled = layer.tiling;
  const table = layer.gather && place.weights.find((weight) => weight.name === layer.gather?.weight);
  return {
    name: layerName(layer, index),
    op: layer.nodes[0]?.opType ?? 'Identity',
    nodes: layer.nodes.length,
    graph,
    inputs: layer.inputs,
    outputs: layer.outputs,
    fileOffset: place.fileOffset,
    byteLength: place.byteLength,
    sha256: place.sha256,
    weights: [...place.weights],
    constantBytes: layer.constants.reduce((sum, tensor) => sum + tensorDataBytes(tensor), 0),
    ...(tiled ? { tiling: tilingRecord(tiled) } : {}),
    ...(layer.gather && table ? { gather: gatherRecord(layer.gather, table) } : {}),
  };
}

function tilingRecord(tiling: NonNullable<LayerDraft['tiling']>): NonNullable<LayerRecord['tiling']> {
  const { weight, output, rows, rowBytes, unitRows, outputAxis, bias, sum } = tiling;
  const operands = { ...(bias ? { bias } : {}), ...(sum ? { sum } : {}) };
  return {
    weight,
    output,
    rows,
    rowBytes,
    unitRows,
    outputAxis,
    outputShape: [...tiling.outputShape],
    ...operands,
  };
}

function gatherRecord(
  gather: NonNullable<LayerDraft['gather']>,
  table: PackedLayer['weights'][number],
): NonNullable<LayerRecord['gather']> {
  const rows = table.dims[0] ?? 1;
  return { ...gather, rows, rowBytes: table.byteLength / rows };
}

/** The heaviest node's name; ONNX Runtime drops names when it rewrites nodes, so operands may stand in. */
function layerName(layer: LayerDraft, index: number): string {
  const [first] = layer.nodes;
  if (first?.name) return first.name;
  const hint = first?.inputs
    .map((name) =>
      name
        .replace(/^ConvBnFusion_BN_[BW]_/, '')
        .replace(/(_bn)?(_b|_w|\.bias|\.weight|_bias|_weight)(_0)?$/, ''),
    )
    .find((name) => name !== '' && !name.startsWith('reorder_token') && !layer.inputs.includes(name));
  return hint ?? `${first?.opType ?? 'layer'}_${index}`;
}
