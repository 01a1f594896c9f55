import path from 'node:path';

import type { OnnxGraph, OnnxModel, OnnxTensor } from './model';
import { subgraphs } from './queries';

/**
 * The files with weights that lie beside a model's own, wherever in it they are referred to.
 * @param modelPath it was read from.
 * @returns absolute paths, each once, in order of first use.
 */
export function filesBeside({ graph }: Pick<OnnxModel, 'graph'>, modelPath: string): readonly string[] {
  const own = path.resolve(modelPath);
  const found = new Set<string>();
  for (const { data } of tensorsOf(graph))
    if (data.kind === 'file' && data.path !== own) found.add(data.path);
  return [...found];
}

function* tensorsOf(graph: OnnxGraph): Generator<OnnxTensor> {
  yield* graph.initializers;
  for (const node of graph.nodes) {
    for (const attribute of node.attributes) {
      if (attribute.type === 'tensor') yield attribute.value;
      else if (attribute.type === 'tensors') yield* attribute.value;
    }
    for (const inner of subgraphs(node)) yield* tensorsOf(inner);
  }
}
