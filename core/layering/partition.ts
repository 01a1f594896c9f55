import { elementBytes } from '../base';
import { nodeInputs, tensorDataBytes, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../onnx';
import { describeTiling, type Tiling } from './tiling';

/** A node whose streamed weights reach this starts a layer of its own. */
const LAYER_START_BYTES = 128 << 10;
/** Smaller tensors stay constants of their graph: kernels may want scales, shapes and axes at creation. */
const CONSTANT_MAX_BYTES = 512;
/** An embedding table of this size or more is read by the row. */
const GATHER_MIN_BYTES = 1 << 20;

/** A weight on its way into the store. */
export interface WeightDraft {
  readonly tensor: OnnxTensor;
  /** Stored with its two axes swapped, so that tiles of output columns are contiguous. */
  readonly transpose: boolean;
}

/** Consecutive nodes and what they need, before packing. */
export interface LayerDraft {
  readonly nodes: OnnxNode[];
  readonly weights: WeightDraft[];
  readonly constants: OnnxTensor[];
  tiling?: Tiling;
  gather?: { readonly weight: string; readonly indices: string; readonly output: string };
  /** Values from outside that are neither weights nor constants. */
  inputs: string[];
  /** Values that later layers or the caller use. */
  outputs: string[];
}

export interface PartitionOptions {
  /** Static shapes by value name, where known. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly threads: number;
  /** Weights that must stay constants of their layer, e.g. because a kernel insists; names. */
  readonly pinned: ReadonlySet<string>;
  /** Whether a value is a tensor whose elements have a fixed size; others stay within one layer. */
  readonly canCross: (name: string) => boolean;
  /** Tiling and row-wise gathers rewrite nodes to operators only the CPU provider is known to have. */
  readonly rewrites: boolean;
}

/**
 * Cuts a topologically ordered graph into layers: each begins with the node that holds its largest weight, followed
 * by the nodes up to the next heavy one. Nodes between which a sequence or a string tensor passes are never cut
 * apart. Mutates nodes where a weight is stored transposed.
 */
export function partition(graph: OnnxGraph, options: PartitionOptions): LayerDraft[] {
  const initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const uses = countUses(graph);
  const layers: LayerDraft[] = [];
  let weightBytes = 0;
  for (const nodes of inseparableNodes(graph, options.canCross)) {
    const names = [...new Set(nodes.flatMap(nodeInputs))].filter((name) => initializers.has(name));
    const streamed = names.filter((name) => isStreamed(initializers.get(name), options.pinned));
    const bytes = streamed.reduce((sum, name) => sum + bytesOf(initializers.get(name)), 0);
    const alone = options.rewrites && nodes.length === 1 ? nodes[0] : undefined;
    const gather = alone && asRowGather(alone, initializers, options.pinned);
    const isHeavy = bytes >= LAYER_START_BYTES;
    const startsLayer = gather !== undefined || isHeavy || (bytes > 0 && weightBytes >= LAYER_START_BYTES);
    let layer = layers.at(-1);
    if (!layer || startsLayer || layer.gather) {
      layer = emptyLayer();
      layers.push(layer);
      weightBytes = 0;
      if (gather) layer.gather = gather;
      else if (isHeavy && alone) {
        const tiling = describeTiling(alone, initializers, uses, options);
        if (tiling) layer.tiling = tiling;
      }
    }
    weightBytes += bytes;
    addNodes(layer, nodes, names, initializers, options.pinned);
  }
  if (layers.length === 0) layers.push(emptyLayer());
  connect(layers, graph, initializers);
  return layers;
}

function emptyLayer(): LayerDraft {
  return { nodes: [], weights: [], constants: [], inputs: [], outputs: [] };
}

/** The nodes in order, those together between which a value passes that can't leave its layer. */
function inseparableNodes(graph: OnnxGraph, canCross: (name: string) => boolean): OnnxNode[][] {
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    for (const name of nodeInputs(node)) lastUse.set(name, index);
  });
  const groups: OnnxNode[][] = [];
  let heldUpTo = -1;
  graph.nodes.forEach((node, index) => {
    if (index <= heldUpTo) groups.at(-1)?.push(node);
    else groups.push([node]);
    for (const name of node.outputs) {
      if (!canCross(name)) heldUpTo = Math.max(heldUpTo, lastUse.get(name) ?? -1);
    }
  });
  return groups;
}

function addNodes(
  layer: LayerDraft,
  nodes: readonly OnnxNode[],
  names: readonly string[],
  initializers: ReadonlyMap<string, OnnxTensor>,
  pinned: ReadonlySet<string>,
): void {
  layer.nodes.push(...nodes);
  for (const name of names) {
    const tensor = initializers.get(name);
    if (!tensor) continue;
    const known = layer.weights.some((weight) => weight.tensor.name === name);
    if (known || layer.constants.includes(tensor)) continue;
    // Operands split along with a tiled weight are sliced by address, so they can't be constants.
    const isSliced = layer.tiling?.bias === name;
    if (!isSliced && !isStreamed(tensor, pinned)) layer.constants.push(tensor);
    else layer.weights.push({ tensor, transpose: layer.tiling?.weight === name && layer.tiling.transpose });
  }
}

/** Finds each layer's boundary values. */
function connect(
  layers: readonly LayerDraft[],
  graph: OnnxGraph,
  initializers: ReadonlyMap<string, OnnxTensor>,
): void {
  const needed = new Set(graph.outputs.map((output) => output.name));
  for (const layer of [...layers].reverse()) {
    const produced = new Set(layer.nodes.flatMap((node) => node.outputs).filter((name) => name !== ''));
    layer.outputs = [...produced].filter((name) => needed.has(name));
    const used = new Set(layer.nodes.flatMap(nodeInputs));
    layer.inputs = [...used].filter((name) => name !== '' && !produced.has(name) && !initializers.has(name));
    for (const name of layer.inputs) needed.add(name);
  }
}

function countUses(graph: OnnxGraph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const name of graph.nodes.flatMap(nodeInputs)) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

function bytesOf(tensor: OnnxTensor | undefined): number {
  return tensor ? tensorDataBytes(tensor) : 0;
}

function isStreamed(tensor: OnnxTensor | undefined, pinned: ReadonlySet<string>): boolean {
  if (!tensor || elementBytes(tensor.dtype) === 0 || pinned.has(tensor.name)) return false;
  return bytesOf(tensor) > CONSTANT_MAX_BYTES;
}

function asRowGather(
  node: OnnxNode,
  initializers: ReadonlyMap<string, OnnxTensor>,
  pinned: ReadonlySet<string>,
): LayerDraft['gather'] {
  if (node.opType !== 'Gather' || node.domain !== '') return undefined;
  const [table, indices] = node.inputs;
  const [output] = node.outputs;
  const axis = node.attributes.find((attribute) => attribute.name === 'axis');
  if (axis?.type === 'int' && axis.value !== 0n) return undefined;
  const tensor = table === undefined ? undefined : initializers.get(table);
  if (!tensor || !indices || !output || initializers.has(indices) || pinned.has(tensor.name))
    return undefined;
  if (tensor.dims.length !== 2 || bytesOf(tensor) < GATHER_MIN_BYTES) return undefined;
  return { weight: tensor.name, indices, output };
}
