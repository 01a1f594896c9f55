import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dtypeNameOf, elementBytes } from '../base';
import { SluiceError } from '../contract';
import { encodeModel, tensorDataBytes, type OnnxModel } from '../onnx';
import { OrtSession, type OrtEnvironment } from '../ort';
import { ioError } from '../storage';
import type { CompileRequest } from './compile-request';
import { layerModel, type GraphContext, type ValueRecord } from './layer-graph';
import type { LayerRecord, StoreManifest } from './manifest';
import { inferValues } from './optimise';
import type { PackedLayer } from './pack';
import { partition, type LayerDraft } from './partition';

/** Cuts an optimised model into layers that ONNX Runtime accepts one by one. */
export class LayerCompiler {
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
      {
        shapes,
        threads: this.request.threads,
        pinned,
        canCross: (name) => elementBytes(this.values.get(name)?.dtype ?? 0) > 0,
        rewrites: this.request.provider === 'cpu',
      },
    );
  }

  /** Whether sessions can be made of it; notes the reason when its weights have to stay constants. */
  private accepts(layer: LayerDraft, pinned: ReadonlySet<string>): boolean {
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

  /** @throws SluiceError `unsupported` for inputs and outputs that are not tensors of a fixed size. */
  describeEnds(): Pick<StoreManifest, 'inputs' | 'outputs'> {
    const { inputs, outputs } = this.model.graph;
    return {
      inputs: inputs.map((end) => this.describe('input', end.name)),
      outputs: outputs.map((end) => this.describe('output', end.name)),
    };
  }

  private describe(side: 'input' | 'output', name: string): StoreManifest['inputs'][number] {
    const value = this.values.get(name);
    if (!value) {
      throw new SluiceError(
        'unsupported',
        `Model ${side} ${name} is not a tensor (a sequence, map or optional). Export the model with tensors only.`,
        { value: name },
      );
    }
    const dtype = dtypeNameOf(value.dtype);
    if (elementBytes(value.dtype) === 0) {
      throw new SluiceError(
        'unsupported',
        `Model ${side} ${name} has elements of type ${dtype}, of which this Sluice can't tell the size in bytes. ` +
          'Split such pre- or post-processing (tokenizers, label tables) off the model.',
        { value: name },
      );
    }
    return { name, dtype, shape: [...value.shape] };
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
  const { weight, output, rows, rowBytes, unitRows, minRows, outputAxis, bias, sum } = tiling;
  const operands = { ...(bias ? { bias } : {}), ...(sum ? { sum } : {}) };
  return {
    weight,
    output,
    rows,
    rowBytes,
    unitRows,
    minRows,
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
