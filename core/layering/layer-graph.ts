import type { DataType, OnnxGraph, OnnxModel, OnnxTensor, OpsetId, ValueInfo } from '../onnx';
import type { LayerDraft, WeightDraft } from './partition';

/** What all graphs of one store share. */
export interface GraphContext {
  readonly irVersion: number;
  readonly opsets: readonly OpsetId[];
}

/** dtype and shape (-1: free) of a value that crosses a layer border. */
export interface ValueRecord {
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** Dims of a weight as stored: swapped if it is stored transposed. */
export function storedDims(weight: WeightDraft): readonly number[] {
  return weight.transpose ? [...weight.tensor.dims].reverse() : weight.tensor.dims;
}

/** A layer as a model of its own: weights and activations are graph inputs, constants initializers. */
export function layerModel(
  layer: LayerDraft,
  values: ReadonlyMap<string, ValueRecord>,
  context: GraphContext,
): OnnxModel {
  return wrapGraph(
    {
      name: 'layer',
      nodes: layer.nodes,
      inputs: [
        ...layer.inputs.map((name) => activation(name, values)),
        ...layer.weights.map((weight) =>
          tensorInput(weight.tensor.name, weight.tensor.dtype, storedDims(weight)),
        ),
      ],
      outputs: layer.outputs.map((name) => activation(name, values)),
      initializers: [...layer.constants],
      valueInfo: [],
    },
    context,
  );
}

/** The whole optimised graph without its weights, giving out every value, so that ONNX Runtime tells their types. */
export function probeModel(
  graph: OnnxGraph,
  isWeight: (tensor: OnnxTensor) => boolean,
  context: GraphContext,
): OnnxModel {
  const outputs = graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== '');
  return wrapGraph(
    {
      ...graph,
      inputs: [
        ...graph.inputs,
        ...graph.initializers
          .filter(isWeight)
          .map((tensor) => tensorInput(tensor.name, tensor.dtype, tensor.dims)),
      ],
      outputs: outputs.map((name) => ({ name })),
      initializers: graph.initializers.filter((tensor) => !isWeight(tensor)),
    },
    context,
  );
}

export function wrapGraph(graph: OnnxGraph, context: GraphContext): OnnxModel {
  return {
    irVersion: context.irVersion,
    producerName: 'sluice',
    opsets: context.opsets,
    graph,
    functions: [],
    metadata: new Map(),
  };
}

/** A graph input without a shape: any shape may arrive. */
export function activation(name: string, values: ReadonlyMap<string, ValueRecord>): ValueInfo {
  const value = values.get(name);
  return value ? { name, tensor: { dtype: value.dtype } } : { name };
}

export function tensorInput(name: string, dtype: DataType, dims: readonly number[]): ValueInfo {
  return { name, tensor: { dtype, shape: dims } };
}
