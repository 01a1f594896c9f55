import { DataType } from '../onnx';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from '../onnx';
import { canEncode } from './element-encoding';
import { fillForUse } from './light-roles';
import type { WeightUse } from './light-roles';
import { seededTensor } from './seeded-tensor';
import type { Fill } from './seeded-tensor';

/** What filling a light model did. */
export interface LightFill {
  readonly model: OnnxModel;
  /** Names of the weights that now have seeded values. */
  readonly filled: readonly string[];
  /** Outputs of ConstantOfShape nodes left in place: no weights, or of a shape only known at run time. */
  readonly kept: readonly string[];
}

/** Initializers are graph inputs too before this IR version. */
const INITIALIZERS_APART_SINCE_IR = 4;

/** Operators a weight may pass through on its way to the one that decides its role; all use input 0 (Concat: any). */
const PASS_THROUGH = new Set([
  'Identity',
  'Cast',
  'Reshape',
  'Transpose',
  'Unsqueeze',
  'Squeeze',
  'Flatten',
  'Concat',
  'Slice',
  'Split',
]);

/**
 * Gives a "light" graph (weights written as ConstantOfShape of a constant shape, which keeps the file small)
 * seeded weights: each such node becomes an initializer of the same name, scaled for what reads it. Integer
 * constants and constants that are no weights stay. Subgraphs are filled too. `model` is not changed.
 */
export function fillLightGraph(model: OnnxModel, seed: number): LightFill {
  const uses = new Map<string, Use[]>();
  const constants = new Map<string, OnnxTensor>();
  collect(model.graph, uses, constants);
  const listAsInputs = model.irVersion < INITIALIZERS_APART_SINCE_IR;
  const context: Context = { uses, constants, seed, listAsInputs, filled: [], kept: [] };
  const graph = fillGraph(model.graph, context);
  return { model: { ...model, graph }, filled: context.filled, kept: context.kept };
}

interface Use {
  readonly node: OnnxNode;
  readonly inputIndex: number;
}

interface Context {
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  /** Constant tensors by value name: initializers and Constant nodes of every graph. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly seed: number;
  readonly listAsInputs: boolean;
  readonly filled: string[];
  readonly kept: string[];
}

function collect(graph: OnnxGraph, uses: Map<string, Use[]>, constants: Map<string, OnnxTensor>): void {
  for (const tensor of graph.initializers) constants.set(tensor.name, tensor);
  for (const node of graph.nodes) {
    node.inputs.forEach((name, inputIndex) => {
      const known = uses.get(name);
      if (known) known.push({ node, inputIndex });
      else uses.set(name, [{ node, inputIndex }]);
    });
    for (const attribute of node.attributes) {
      if (attribute.type === 'graph') collect(attribute.value, uses, constants);
      const [output] = node.outputs;
      if (node.opType === 'Constant' && attribute.type === 'tensor' && output !== undefined) {
        constants.set(output, attribute.value);
      }
    }
  }
}

function fillGraph(graph: OnnxGraph, context: Context): OnnxGraph {
  const added: OnnxTensor[] = [];
  const unneeded = new Set<string>();
  const nodes: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const tensor = weightOf(node, context);
    const [shapeName = ''] = node.inputs;
    if (tensor) {
      added.push(tensor);
      if ((context.uses.get(shapeName) ?? []).length === 1) unneeded.add(shapeName);
    } else {
      nodes.push(fillSubgraphs(node, context));
    }
  }
  const needed = (item: { readonly name: string }) => !unneeded.has(item.name);
  const newInputs = context.listAsInputs
    ? added.map(({ name, dtype, dims }) => ({ name, tensor: { dtype, shape: dims } }))
    : [];
  return {
    ...graph,
    nodes: nodes.filter((node) => node.opType !== 'Constant' || !unneeded.has(node.outputs[0] ?? '')),
    initializers: [...graph.initializers.filter(needed), ...added],
    inputs: [...graph.inputs.filter(needed), ...newInputs],
  };
}

function fillSubgraphs(node: OnnxNode, context: Context): OnnxNode {
  if (!node.attributes.some((attribute) => attribute.type === 'graph')) return node;
  const inner = { ...context, listAsInputs: false };
  const attributes = node.attributes.map((attribute) =>
    attribute.type === 'graph' ? { ...attribute, value: fillGraph(attribute.value, inner) } : attribute,
  );
  return { ...node, attributes };
}

/** The initializer that takes the node's place, if the node is a weight. */
function weightOf(node: OnnxNode, context: Context): OnnxTensor | undefined {
  if (node.opType !== 'ConstantOfShape') return undefined;
  const [shapeName = ''] = node.inputs;
  const [name = ''] = node.outputs;
  const dims = int64Values(context.constants.get(shapeName));
  const dtype = valueType(node);
  const fill = dims && isFloat(dtype) ? roleOf(name, dims, context) : undefined;
  if (!dims || !fill) {
    context.kept.push(name);
    return undefined;
  }
  context.filled.push(name);
  return seededTensor({ name, dtype, dims, fill, seed: context.seed });
}

/** The role its first deciding consumer gives the value, found through operators that only reshape it. */
function roleOf(name: string, dims: readonly number[], context: Context): Fill | undefined {
  for (const { node, inputIndex } of context.uses.get(name) ?? []) {
    const passes = PASS_THROUGH.has(node.opType) && (inputIndex === 0 || node.opType === 'Concat');
    const fill = passes
      ? roleOfOutputs(node, dims, context)
      : fillForUse({ node, inputIndex, dims, nextOps: nextOps(node, context) } satisfies WeightUse);
    if (fill) return fill;
  }
  return undefined;
}

function roleOfOutputs(node: OnnxNode, dims: readonly number[], context: Context): Fill | undefined {
  const seen = node.opType === 'Transpose' ? transposed(node, dims) : dims;
  for (const output of node.outputs) {
    const fill = roleOf(output, seen, context);
    if (fill) return fill;
  }
  return undefined;
}

function transposed(node: OnnxNode, dims: readonly number[]): readonly number[] {
  const order = node.attributes.find((attribute) => attribute.name === 'perm');
  if (order?.type !== 'ints') return [...dims].reverse();
  return order.value.map((axis) => dims[Number(axis)] ?? 1);
}

function nextOps(node: OnnxNode, context: Context): string[] {
  return (context.uses.get(node.outputs[0] ?? '') ?? []).map((use) => use.node.opType);
}

/** float32 unless the `value` attribute says otherwise, as the operator has it. */
function valueType(node: OnnxNode): DataType {
  const value = node.attributes.find((attribute) => attribute.name === 'value');
  return value?.type === 'tensor' ? value.value.dtype : DataType.float32;
}

function isFloat(dtype: DataType): boolean {
  const floats = [DataType.float32, DataType.float64, DataType.float16, DataType.bfloat16];
  return floats.includes(dtype) && canEncode(dtype);
}

function int64Values(tensor: OnnxTensor | undefined): number[] | undefined {
  if (tensor?.dtype !== DataType.int64 || tensor.data.kind !== 'inline') return undefined;
  const { bytes } = tensor.data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 8 }, (_, i) => Number(view.getBigInt64(i * 8, true)));
}
