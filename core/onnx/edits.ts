import { SluiceError } from '../contract';
import { findAttribute } from './attributes';
import type { Attribute, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from './model';
import { allNames, nodeInputs, subgraphs, topologicalOrder } from './queries';
import { tensorDataBytes } from './tensor-data';

/**
 * Moves subgraph initializers of at least `minBytes` to `graph` itself, in place, so that they can be streamed like
 * any other weight. They get fresh unique names (`<graph>.<tensor>`), and their uses are renamed.
 * @returns how many were moved.
 */
export function hoistSubgraphInitializers(graph: OnnxGraph, minBytes: number): number {
  const names = allNames(graph);
  let moved = 0;
  const visit = (inner: OnnxGraph): void => {
    const large = inner.initializers.filter((tensor) => isHoistable(inner, tensor, minBytes));
    const renamed = new Map<string, string>();
    for (const tensor of large) {
      const name = freshName(`${inner.name || 'subgraph'}.${tensor.name}`, names);
      renamed.set(tensor.name, name);
      graph.initializers.push({ ...tensor, name });
    }
    inner.initializers = inner.initializers.filter((tensor) => !large.includes(tensor));
    inner.valueInfo = inner.valueInfo.filter((value) => !renamed.has(value.name));
    if (renamed.size > 0) renameUses(inner, renamed);
    moved += large.length;
    for (const node of inner.nodes) subgraphs(node).forEach(visit);
  };
  for (const node of graph.nodes) subgraphs(node).forEach(visit);
  return moved;
}

/** An initializer that is also an input (a default the caller may override) or an output must stay. */
function isHoistable(graph: OnnxGraph, tensor: OnnxTensor, minBytes: number): boolean {
  if (tensorDataBytes(tensor) < minBytes) return false;
  return ![...graph.inputs, ...graph.outputs].some((value) => value.name === tensor.name);
}

/** `wish`, or `wish_1`, `wish_2`, ... : the first not in `taken`, which it joins. */
export function freshName(wish: string, taken: Set<string>): string {
  let name = wish;
  for (let count = 1; taken.has(name); count += 1) name = `${wish}_${count}`;
  taken.add(name);
  return name;
}

/** Renames what the graph's nodes use, in place, down to subgraphs that do not define the name anew. */
export function renameUses(graph: OnnxGraph, renamed: ReadonlyMap<string, string>): void {
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    for (const inner of subgraphs(node)) {
      const own = definedNames(inner);
      const visible = new Map([...renamed].filter(([name]) => !own.has(name)));
      if (visible.size === 0) continue;
      renameUses(inner, visible);
      inner.outputs = inner.outputs.map((value) => renameValue(value, visible));
    }
  }
}

function renameValue(value: ValueInfo, renamed: ReadonlyMap<string, string>): ValueInfo {
  const name = renamed.get(value.name);
  return name === undefined ? value : { ...value, name };
}

function definedNames(graph: OnnxGraph): ReadonlySet<string> {
  return new Set([
    ...graph.inputs.map((value) => value.name),
    ...graph.initializers.map((tensor) => tensor.name),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]);
}

/**
 * Turns Constant nodes that hold a dense tensor into initializers of the same name, in place, in subgraphs too:
 * exporters such as Paddle's keep all weights in Constant nodes.
 * @returns how many were turned.
 */
export function constantsToInitializers(graph: OnnxGraph): number {
  const kept: OnnxNode[] = [];
  let turned = 0;
  for (const node of graph.nodes) {
    const name = node.outputs[0];
    const tensor = constantTensor(node);
    if (tensor && name !== undefined) {
      graph.initializers.push({ ...tensor, name });
      turned += 1;
      continue;
    }
    for (const inner of subgraphs(node)) turned += constantsToInitializers(inner);
    kept.push(node);
  }
  graph.nodes = kept;
  return turned;
}

/** Removes nodes that no output of the graph depends on, in place; subgraphs are left as they are. */
export function removeUnusedNodes(graph: OnnxGraph): void {
  const needed = new Set(graph.outputs.map((value) => value.name));
  const kept = new Set<OnnxNode>();
  for (const node of [...topologicalOrder(graph)].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.add(node);
    for (const name of nodeInputs(node)) needed.add(name);
  }
  graph.nodes = graph.nodes.filter((node) => kept.has(node));
}

/** The tensor of a Constant node; undefined for other nodes and for constants given as numbers or strings. */
export function constantTensor(node: OnnxNode): OnnxTensor | undefined {
  if (node.opType !== 'Constant' || node.domain !== '') return undefined;
  return findAttribute(node, 'value', 'tensor');
}

/** A copy whose nodes, attribute lists and subgraphs can be edited; tensors (immutable) are shared. */
export function cloneGraph(graph: OnnxGraph): OnnxGraph {
  return {
    ...graph,
    nodes: graph.nodes.map(cloneNode),
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
    initializers: [...graph.initializers],
    valueInfo: [...graph.valueInfo],
  };
}

/** A copy of a node, its subgraphs included. */
export function cloneNode(node: OnnxNode): OnnxNode {
  return {
    ...node,
    inputs: [...node.inputs],
    outputs: [...node.outputs],
    attributes: node.attributes.map(cloneAttribute),
  };
}

function cloneAttribute(attribute: Attribute): Attribute {
  if (attribute.type === 'graph') return { ...attribute, value: cloneGraph(attribute.value) };
  if (attribute.type === 'graphs') return { ...attribute, value: attribute.value.map(cloneGraph) };
  return attribute;
}

/** What `extractSubgraph` makes a graph of. */
export interface Extraction {
  readonly name: string;
  /** In an order that runs; copied. */
  readonly nodes: readonly OnnxNode[];
  /** Fed from outside: activations, and initializers that shall be inputs instead of being included. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/**
 * A graph of some of `graph`'s nodes. Initializers that the nodes (or their subgraphs) or the outputs use and
 * `inputs` does not name are included; known types of inner values are kept.
 * @throws SluiceError `internal` listing every name that is neither made, fed nor an initializer.
 */
export function extractSubgraph(graph: OnnxGraph, wanted: Extraction): OnnxGraph {
  const fed = new Set(wanted.inputs.map((value) => value.name));
  const made = new Set(wanted.nodes.flatMap((node) => node.outputs));
  const used = new Set(wanted.nodes.flatMap((node) => nodeInputs(node)));
  for (const output of wanted.outputs) used.add(output.name);
  const needed = new Set([...used].filter((name) => !fed.has(name) && !made.has(name)));
  const initializers = graph.initializers.filter((tensor) => needed.has(tensor.name));
  for (const tensor of initializers) needed.delete(tensor.name);
  if (needed.size > 0) {
    throw new SluiceError(
      'internal',
      `subgraph '${wanted.name}' of '${graph.name}': nothing makes or feeds ${[...needed].join(', ')}; name them as ` +
        'inputs or take the nodes that make them',
      { graph: wanted.name, names: [...needed] },
    );
  }
  const outputNames = new Set(wanted.outputs.map((value) => value.name));
  return {
    name: wanted.name,
    nodes: wanted.nodes.map(cloneNode),
    inputs: [...wanted.inputs],
    outputs: [...wanted.outputs],
    initializers,
    valueInfo: graph.valueInfo.filter((value) => made.has(value.name) && !outputNames.has(value.name)),
  };
}
