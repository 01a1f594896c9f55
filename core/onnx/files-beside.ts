import path from 'node:path';

import type { FileData, OnnxGraph, OnnxModel, OnnxTensor } from './model';
import { subgraphs } from './queries';

/** A file that a model's tensors refer to, and where it has to lie. */
export type ModelFile = Pick<FileData, 'path' | 'folders'>;

/** The files that hold a model's large tensors, its own among them: each once, in order of first use. */
export function modelFiles({ graph }: Pick<OnnxModel, 'graph'>): readonly ModelFile[] {
  const found = new Map<string, ModelFile>();
  for (const { data } of tensorsOf(graph)) if (data.kind === 'file') found.set(data.path, data);
  return [...found.values()].map(({ path: file, folders }) => ({ path: file, ...(folders && { folders }) }));
}

/**
 * The files with weights that lie beside a model's own, wherever in it they are referred to.
 * @param modelPath it was read from.
 * @returns as `modelFiles`.
 */
export function filesBeside(model: Pick<OnnxModel, 'graph'>, modelPath: string): readonly ModelFile[] {
  const own = path.resolve(modelPath);
  return modelFiles(model).filter((file) => file.path !== own);
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
