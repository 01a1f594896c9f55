import { SluiceError } from '../contract';
import type { OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from './model';

/** The graphs in a node's attributes (If, Loop, Scan), in attribute order. */
export function subgraphs(node: OnnxNode): readonly OnnxGraph[] {
  return node.attributes.flatMap((attribute) => {
    if (attribute.type === 'graph') return [attribute.value];
    return attribute.type === 'graphs' ? attribute.value : [];
  });
}

/**
 * Every name the node needs from the graph it stands in: its inputs and what its subgraphs, however deep, take from
 * outside. Each once, in order of first use; omitted optional inputs left out.
 */
export function nodeInputs(node: OnnxNode): readonly string[] {
  const names = new Set(node.inputs);
  for (const graph of subgraphs(node)) for (const name of outerNames(graph)) names.add(name);
  names.delete('');
  return [...names];
}

/** The names a subgraph uses but does not define: it takes them from the graphs around it. */
export function outerNames(graph: OnnxGraph): readonly string[] {
  const defined = new Set([
    ...graph.inputs.map((value) => value.name),
    ...graph.initializers.map((tensor) => tensor.name),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]);
  const used = new Set<string>();
  for (const node of graph.nodes) for (const name of nodeInputs(node)) used.add(name);
  for (const output of graph.outputs) used.add(output.name);
  return [...used].filter((name) => !defined.has(name));
}

/** Value name -> the node that makes it. Graph inputs and initializers have none. */
export function producers(graph: OnnxGraph): ReadonlyMap<string, OnnxNode> {
  const index = new Map<string, OnnxNode>();
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') index.set(name, node);
  return index;
}

/** Value name -> the nodes that need it, subgraphs included, in graph order. */
export function consumers(graph: OnnxGraph): ReadonlyMap<string, readonly OnnxNode[]> {
  const index = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const name of nodeInputs(node)) {
      const nodes = index.get(name);
      if (nodes) nodes.push(node);
      else index.set(name, [node]);
    }
  }
  return index;
}

/** Name -> initializer of this graph, subgraphs not included. */
export function collectInitializers(graph: OnnxGraph): ReadonlyMap<string, OnnxTensor> {
  return new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
}

/** The inputs a caller must feed: up to IR version 3 initializers are listed as inputs too, later ones may be. */
export function requiredInputs(graph: OnnxGraph): readonly ValueInfo[] {
  const given = collectInitializers(graph);
  return graph.inputs.filter((value) => !given.has(value.name));
}

/** Name -> type, for every value of this graph whose type is written down: inputs, outputs, inner, initializers. */
export function valueTypes(graph: OnnxGraph): ReadonlyMap<string, ValueInfo> {
  const types = new Map<string, ValueInfo>();
  for (const { name, dtype, dims } of graph.initializers)
    types.set(name, { name, tensor: { dtype, shape: dims } });
  for (const value of [...graph.valueInfo, ...graph.outputs, ...graph.inputs]) types.set(value.name, value);
  return types;
}

/** Every name that occurs in the graph or its subgraphs: a fresh name must be none of them. */
export function allNames(graph: OnnxGraph): Set<string> {
  const names = new Set<string>();
  collectNames(graph, names);
  names.delete('');
  return names;
}

function collectNames(graph: OnnxGraph, names: Set<string>): void {
  for (const { name } of [...graph.inputs, ...graph.outputs, ...graph.initializers, ...graph.valueInfo]) {
    names.add(name);
  }
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const inner of subgraphs(node)) collectNames(inner, names);
  }
}

/**
 * The nodes so that each comes after those it needs; nodes that could come in any order keep the graph's order.
 * @throws SluiceError `bad-model` naming the nodes of a cycle.
 */
export function topologicalOrder(graph: OnnxGraph): readonly OnnxNode[] {
  const makers = producers(graph);
  const ordered: OnnxNode[] = [];
  const done = new Set<OnnxNode>();
  const open = new Set<OnnxNode>();
  // An explicit stack: a chain of a hundred thousand nodes must not overflow the call stack.
  const stack: { readonly node: OnnxNode; readonly needs: readonly string[]; next: number }[] = [];
  const enter = (node: OnnxNode): void => {
    open.add(node);
    stack.push({ node, needs: nodeInputs(node), next: 0 });
  };
  for (const root of graph.nodes) {
    if (!done.has(root)) enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = top.needs[top.next];
      if (need === undefined) {
        stack.pop();
        open.delete(top.node);
        done.add(top.node);
        ordered.push(top.node);
        continue;
      }
      top.next += 1;
      const maker = makers.get(need);
      if (!maker || done.has(maker)) continue;
      if (open.has(maker)) throw cycleFault(graph, [...open], maker);
      enter(maker);
    }
  }
  return ordered;
}

function cycleFault(graph: OnnxGraph, path: readonly OnnxNode[], back: OnnxNode): SluiceError {
  const cycle = path
    .slice(path.indexOf(back))
    .map((node) => `'${node.name || node.outputs[0]}' (${node.opType})`);
  const shown = cycle.length > 8 ? [...cycle.slice(0, 8), `... ${cycle.length - 8} more`] : cycle;
  return new SluiceError(
    'bad-model',
    `graph '${graph.name}': its nodes need each other in a circle: ${shown.join(' <- ')} <- ${cycle[0]}`,
    { graph: graph.name },
  );
}
