import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../contract';
import {
  DataType,
  decodeModel,
  encodeModel,
  nodeInputs,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type ValueInfo,
} from '../onnx';
import { ioError, isDiskFault } from '../storage';
import { activation, tensorInput, wrapGraph, type ValueRecord } from './layer-graph';
import type { LayerRecord, StoreManifest, TilingRecord, WeightRecord } from './manifest';
import { tilesAreContiguous, type RowRange, type Step } from './program';

/** What a step's ONNX Runtime session takes and gives, by name. */
export interface StepSignature {
  /** Activations in. */
  readonly inputs: readonly string[];
  /** Weights in, with the rows of a tiled one already cut down. */
  readonly weights: readonly StepWeight[];
  /** Values out. A part of a tiled output bears the name of the whole when parts are contiguous. */
  readonly outputs: readonly string[];
}

export interface StepWeight {
  readonly name: string;
  readonly dtype: number;
  readonly dims: readonly number[];
  readonly fileOffset: number;
  readonly byteLength: number;
}

/** Builds the graphs of steps from the layer graphs of a store. */
export class StepGraphs {
  private readonly layerGraphs = new Map<number, OnnxGraph>();
  private readonly values: ReadonlyMap<string, ValueRecord>;
  /** Last layer that uses each value; the number of layers for model outputs. */
  private readonly lastUse = new Map<string, number>();

  constructor(
    private readonly storePath: string,
    private readonly manifest: StoreManifest,
  ) {
    this.values = new Map(Object.entries(manifest.values));
    manifest.layers.forEach((layer, index) => {
      for (const name of layer.inputs) this.lastUse.set(name, index);
    });
    for (const output of manifest.outputs) this.lastUse.set(output.name, manifest.layers.length);
  }

  signature(step: Step): StepSignature {
    const layer = this.layer(step.first);
    if (step.kind === 'segment') return this.segmentSignature(step);
    if (step.kind === 'gather') {
      const { gather } = layer;
      if (!gather) throw new Error(`Layer ${layer.name} has no table to gather from.`);
      return { inputs: [gather.indices], weights: [], outputs: [gather.output] };
    }
    const tiling = requireTiling(layer);
    return step.kind === 'tile'
      ? this.tileSignature(step, layer, tiling)
      : this.restSignature(step, layer, tiling);
  }

  /** Sessions of steps with the same key are interchangeable. */
  sessionKey(step: Step): string {
    const rows = step.rows ? `x${step.rows.count}` : '';
    const join = step.kind === 'rest' ? `/${step.tile?.count ?? 0}` : '';
    return `${step.kind}:${step.first}-${step.last}${rows}${join}`;
  }

  /** The step's graph as ONNX bytes; activation and weight names as in the signature of tile 0. */
  encode(step: Step): Uint8Array {
    const signature = this.signature(step);
    const { nodes, constants } = this.nodesOf(step);
    const graph: OnnxGraph = {
      name: this.sessionKey(step),
      nodes: [...nodes],
      inputs: [
        ...signature.inputs.map((name) => this.valueInfo(step, name)),
        ...signature.weights.map((weight) => tensorInput(weight.name, weight.dtype as DataType, weight.dims)),
      ],
      outputs: signature.outputs.map((name) => this.valueInfo(step, name)),
      initializers: [...constants],
      valueInfo: [],
    };
    return encodeModel(wrapGraph(graph, this.manifest));
  }

  private segmentSignature(step: Step): StepSignature {
    const layers = this.manifest.layers.slice(step.first, step.last + 1);
    const produced = new Set(layers.flatMap((layer) => layer.outputs));
    const inputs = new Set(layers.flatMap((layer) => layer.inputs).filter((name) => !produced.has(name)));
    const weights = new Map(layers.flatMap((layer) => layer.weights.map((weight) => [weight.name, weight])));
    const outputs = [...produced].filter((name) => (this.lastUse.get(name) ?? -1) > step.last);
    return { inputs: [...inputs], weights: [...weights.values()], outputs };
  }

  private tileSignature(step: Step, layer: LayerRecord, tiling: TilingRecord): StepSignature {
    const rows = step.rows ?? { first: 0, count: tiling.rows };
    const node = this.tiledNode(step.first, tiling);
    const weightNames = new Set(layer.weights.map((weight) => weight.name));
    const inputs = node.inputs.filter(
      (name) => name !== '' && !weightNames.has(name) && !this.isConstant(step, name),
    );
    const used = layer.weights.filter((weight) => node.inputs.includes(weight.name));
    const weights = used.map((weight) => {
      const isSplit = weight.name === tiling.weight || weight.name === tiling.bias;
      return isSplit ? rowSlice(weight, rows, tiling.rows) : weight;
    });
    return {
      inputs: [...new Set(inputs)],
      weights,
      outputs: [this.tileOutput(step, tiling, step.tile?.index ?? 0)],
    };
  }

  private restSignature(step: Step, layer: LayerRecord, tiling: TilingRecord): StepSignature {
    const parts = this.tileParts(step, tiling);
    const restNodes = this.restNodes(step, tiling);
    const used = new Set(restNodes.flatMap(nodeInputs));
    const inputs = layer.inputs.filter((name) => used.has(name));
    const outputs = layer.outputs.filter((name) => restNodes.some((node) => node.outputs.includes(name)));
    const weights = layer.weights.filter((weight) => weight.name !== tiling.weight && used.has(weight.name));
    return { inputs: [...parts, ...inputs], weights, outputs };
  }

  /** Whether a tiled layer needs anything after its tiles. */
  needsRest(layerIndex: number): boolean {
    const layer = this.layer(layerIndex);
    return layer.nodes > 1 || !tilesAreContiguous(requireTiling(layer));
  }

  private nodesOf(step: Step): { nodes: readonly OnnxNode[]; constants: readonly OnnxTensor[] } {
    if (step.kind === 'segment') {
      const graphs = this.manifest.layers
        .slice(step.first, step.last + 1)
        .map((_, at) => this.graph(step.first + at));
      const constants = new Map(
        graphs.flatMap((graph) => graph.initializers.map((tensor) => [tensor.name, tensor])),
      );
      return { nodes: graphs.flatMap((graph) => graph.nodes), constants: [...constants.values()] };
    }
    const constants = this.graph(step.first).initializers;
    const tiling = requireTiling(this.layer(step.first));
    if (step.kind === 'rest') return { nodes: this.restNodes(step, tiling), constants };
    const node = this.tiledNode(step.first, tiling);
    const output = this.tileOutput(step, tiling, step.tile?.index ?? 0);
    const used = constants.filter((tensor) => node.inputs.includes(tensor.name));
    return { nodes: [{ ...node, outputs: [output] }], constants: used };
  }

  private restNodes(step: Step, tiling: TilingRecord): readonly OnnxNode[] {
    const others = this.graph(step.first).nodes.slice(1);
    if (tilesAreContiguous(tiling)) return others;
    const concat: OnnxNode = {
      name: 'join-tiles',
      opType: 'Concat',
      domain: '',
      inputs: this.tileParts(step, tiling),
      outputs: [tiling.output],
      attributes: [{ name: 'axis', type: 'int', value: BigInt(tiling.outputAxis) }],
    };
    return [concat, ...others];
  }

  private tileParts(step: Step, tiling: TilingRecord): string[] {
    if (tilesAreContiguous(tiling)) return [tiling.output];
    return Array.from({ length: step.tile?.count ?? 1 }, (_, index) => this.tileOutput(step, tiling, index));
  }

  private tileOutput(step: Step, tiling: TilingRecord, index: number): string {
    return tilesAreContiguous(tiling) ? tiling.output : `${tiling.output}#${step.tile?.count ?? 1}.${index}`;
  }

  private tiledNode(layerIndex: number, tiling: TilingRecord): OnnxNode {
    const [node] = this.graph(layerIndex).nodes;
    if (!node?.inputs.includes(tiling.weight)) {
      const { name } = this.layer(layerIndex);
      throw new SluiceError('corrupt-store', `Layer ${name}: its graph does not begin with its tiled node.`, {
        layer: name,
      });
    }
    return node;
  }

  private isConstant(step: Step, name: string): boolean {
    return this.graph(step.first).initializers.some((tensor) => tensor.name === name);
  }

  private valueInfo(step: Step, name: string): ValueInfo {
    if (this.values.has(name)) return activation(name, this.values);
    const { tiling } = this.layer(step.first);
    // Parts and whole of a tiled output are float32: nothing else is tiled.
    if (tiling && (name === tiling.output || name.startsWith(`${tiling.output}#`))) {
      return { name, tensor: { dtype: DataType.float32 } };
    }
    return { name };
  }

  private graph(index: number): OnnxGraph {
    let graph = this.layerGraphs.get(index);
    if (!graph) {
      const path = join(this.storePath, this.layer(index).graph);
      try {
        graph = decodeModel(readFileSync(path), path).graph;
      } catch (cause) {
        const { name } = this.layer(index);
        if (isDiskFault(cause)) throw ioError(`Layer ${name}: can't read its graph ${path}`, cause);
        throw new SluiceError(
          'corrupt-store',
          `Layer ${name}: its graph ${path} can't be read. Import the model again.`,
          {
            layer: name,
            path,
          },
          { cause },
        );
      }
      this.layerGraphs.set(index, graph);
    }
    return graph;
  }

  private layer(index: number): LayerRecord {
    const layer = this.manifest.layers[index];
    if (!layer) throw new Error(`The store has no layer ${index}.`);
    return layer;
  }
}

/** The part of a split operand (a tiled weight, or a bias of [rows] or [1, rows]) that belongs to some rows. */
function rowSlice(weight: WeightRecord, rows: RowRange, allRows: number): StepWeight {
  const axis = weight.dims.indexOf(allRows);
  const rowBytes = weight.byteLength / allRows;
  return {
    ...weight,
    dims: weight.dims.map((dim, index) => (index === axis ? rows.count : dim)),
    fileOffset: weight.fileOffset + rows.first * rowBytes,
    byteLength: rows.count * rowBytes,
  };
}

function requireTiling(layer: LayerRecord): TilingRecord {
  if (!layer.tiling) throw new Error(`Layer ${layer.name} can't be tiled.`);
  return layer.tiling;
}
