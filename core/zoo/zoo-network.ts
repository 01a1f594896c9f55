import { elementCount } from '../onnx';
import type { OnnxGraph, OnnxModel } from '../onnx';
import { isSeededTensor } from './seeded-tensor';

/** What its authors measured of a trained network on ImageNet (ILSVRC-2012 validation, single crop). */
export interface PublishedFigures {
  readonly top5Pct: number;
  /** Multiply-accumulates of one inference, in millions. */
  readonly mMacs: number;
  readonly source: string;
}

/** A reference network: published layers and shapes, weights from a seed. */
export interface ZooNetwork {
  /** `vgg-16`; names files and command-line arguments. */
  readonly id: string;
  readonly title: string;
  /** Where the shapes and the parameter count are published. */
  readonly source: string;
  /** Trainable parameters: batch-norm running statistics and constants are not counted. */
  readonly parameters: number;
  /** Published for trained weights of this architecture (ours are seeded), with where they stand. */
  readonly published?: PublishedFigures;
  /**
   * The graph. Its weights are `SeededTensor`s, generated whenever their `data` is read: write large networks
   * with `writeZooModel`, which never holds one whole.
   */
  build(seed: number): OnnxModel;
}

/** Trainable parameters of a model built by the zoo, those of subgraphs included. */
export function trainableParameters(model: OnnxModel): number {
  return countTrainable(model.graph);
}

function countTrainable(graph: OnnxGraph): number {
  let count = 0;
  for (const tensor of graph.initializers) {
    if (isSeededTensor(tensor) && tensor.trainable) count += elementCount(tensor.dims);
  }
  for (const attribute of graph.nodes.flatMap((node) => node.attributes)) {
    if (attribute.type === 'graph') count += countTrainable(attribute.value);
  }
  return count;
}
