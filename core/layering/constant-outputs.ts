import { allNames, freshName, makeNode, renameUses, subgraphs, type OnnxGraph } from '../onnx';

/**
 * Gives every output that is itself an initializer (a weight given out, or what the optimiser folded) a node that
 * makes it, so that some layer has it to give; in subgraphs too, where the initializer can then be hoisted. In place.
 */
export function giveConstantOutputsANode(graph: OnnxGraph): void {
  giveNodes(graph, allNames(graph));
}

function giveNodes(graph: OnnxGraph, taken: Set<string>): void {
  for (const inner of graph.nodes.flatMap(subgraphs)) giveNodes(inner, taken);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const renamed = new Map<string, string>();
  graph.initializers = graph.initializers.map((tensor) => {
    if (!outputs.has(tensor.name)) return tensor;
    const name = freshName(`${tensor.name}_value`, taken);
    renamed.set(tensor.name, name);
    return { ...tensor, name };
  });
  renameUses(graph, renamed);
  for (const [output, value] of renamed) graph.nodes.push(makeNode('Identity', [value], [output]));
}
