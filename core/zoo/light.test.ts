import { describe, expect, it } from 'vitest';
import { DataType } from '../onnx';
import type { Attribute, OnnxModel, OnnxNode, OnnxTensor } from '../onnx';
import { intAttribute, intsAttribute } from './attributes';
import { constantTensor } from './graph-builder';
import { fillLightGraph } from './light';
import { isSeededTensor } from './seeded-tensor';

type NodeText = readonly [op: string, inputs: string, outputs: string, attributes?: readonly Attribute[]];

function nodeOf([opType, inputs, outputs, attributes = []]: NodeText): OnnxNode {
  const names = (text: string) => (text === '' ? [] : text.split(' '));
  return {
    name: '',
    opType,
    domain: '',
    inputs: names(inputs),
    outputs: names(outputs),
    attributes: [...attributes],
  };
}

/** A light graph: `shapes` become initializers `NAME_shape`, each read by a ConstantOfShape that gives `NAME`. */
function light(
  shapes: Record<string, readonly number[]>,
  nodes: readonly NodeText[],
  irVersion = 8,
): OnnxModel {
  const initializers = Object.entries(shapes).map(([name, dims]) =>
    constantTensor(`${name}_shape`, dims, [dims.length], DataType.int64),
  );
  const weights = Object.keys(shapes).map((name) => nodeOf(['ConstantOfShape', `${name}_shape`, name]));
  const inputs = irVersion < 4 ? initializers.map(({ name }) => name) : [];
  const tensor = { dtype: DataType.int64, shape: [1] };
  return {
    irVersion,
    producerName: 'test',
    opsets: [{ domain: '', version: 9 }],
    graph: {
      name: 'light',
      nodes: [...weights, ...nodes.map(nodeOf)],
      inputs: inputs.map((name) => ({ name, tensor })),
      outputs: [],
      initializers,
      valueInfo: [],
    },
    functions: [],
    metadata: new Map(),
  };
}

function fillOf(model: OnnxModel, name: string) {
  const tensor = model.graph.initializers.find((candidate) => candidate.name === name);
  return tensor && isSeededTensor(tensor) ? tensor.fill : undefined;
}

describe('filling a light graph', () => {
  it('scales each weight for the operator that reads it', () => {
    const { model, filled, kept } = fillLightGraph(
      light({ w: [8, 3, 5, 5], b: [8], s: [8], o: [8], m: [8], v: [8], d: [10, 8], t: [8, 4] }, [
        ['Conv', 'x w b', 'c'],
        ['BatchNormalization', 'c s o m v', 'n'],
        ['Gemm', 'n d', 'g', [intAttribute('transB', 1)]],
        ['Transpose', 't', 'tt', [intsAttribute('perm', [1, 0])]],
        ['MatMul', 'g tt', 'y'],
      ]),
      1,
    );
    expect(kept).toEqual([]);
    expect(filled).toHaveLength(8);
    expect(model.graph.nodes.map((node) => node.opType)).not.toContain('ConstantOfShape');
    expect(model.graph.initializers.map(({ name }) => name).sort()).toEqual([
      'b',
      'd',
      'm',
      'o',
      's',
      't',
      'v',
      'w',
    ]);
    expect(fillOf(model, 'w')).toEqual({ mean: 0, std: Math.sqrt(2 / 75) });
    expect(fillOf(model, 'd')).toEqual({ mean: 0, std: Math.sqrt(2 / 8) });
    expect(fillOf(model, 't')).toEqual({ mean: 0, std: Math.sqrt(1 / 4) });
    expect(fillOf(model, 's')?.mean).toBe(1);
    expect(fillOf(model, 'v')?.mean).toBe(1);
    expect(fillOf(model, 'm')?.mean).toBe(0);
  });

  it('damps a batch norm whose output is added, so that depth does not add up', () => {
    const batchNorm: NodeText = ['BatchNormalization', 'x s o m v', 'n'];
    const shapes = { s: [8], o: [8], m: [8], v: [8] };
    const { model } = fillLightGraph(light(shapes, [batchNorm, ['Sum', 'n x', 'y']]), 1);
    expect(fillOf(model, 's')?.mean).toBe(0.5);
  });

  it('leaves constants that are no weights, and shapes only known at run time', () => {
    const model = light({ low: [], pads: [8] }, [
      ['Clip', 'x low', 'c'],
      ['Pad', 'c pads', 'p'],
      ['Shape', 'x', 'size'],
      ['ConstantOfShape', 'size', 'zeros'],
      ['Add', 'p zeros', 'y'],
    ]);
    const result = fillLightGraph(model, 1);
    expect(result.kept).toEqual(['low', 'pads', 'zeros']);
    expect(result.filled).toEqual([]);
    expect(result.model.graph.initializers).toEqual(model.graph.initializers);
  });

  it('keeps a shape that others read, and drops Constant nodes nobody reads any more', () => {
    const shape: OnnxTensor = constantTensor('', [4, 4], [2], DataType.int64);
    const value: Attribute = { name: 'value', type: 'tensor', value: shape };
    const { model } = fillLightGraph(
      light({ a: [4, 4] }, [
        ['Reshape', 'x a_shape', 'r'],
        ['MatMul', 'r a', 'z'],
        ['Constant', '', 'k', [value]],
        ['ConstantOfShape', 'k', 'b'],
        ['MatMul', 'z b', 'y'],
      ]),
      1,
    );
    expect(model.graph.initializers.map(({ name }) => name)).toEqual(['a_shape', 'a', 'b']);
    expect(model.graph.nodes.map((node) => node.opType)).toEqual(['Reshape', 'MatMul', 'MatMul']);
  });

  it('lists initializers as inputs where the IR version wants it', () => {
    const { model } = fillLightGraph(light({ a: [4, 4] }, [['MatMul', 'x a', 'y']], 3), 1);
    expect(model.graph.inputs).toEqual([{ name: 'a', tensor: { dtype: DataType.float32, shape: [4, 4] } }]);
  });

  it('fills subgraphs, by what their own nodes do with weights of the graph around them', () => {
    const inner = light({ b: [2, 2] }, [['MatMul', 'a b', 'inner']]).graph;
    const { model, filled } = fillLightGraph(
      light({ a: [2, 2] }, [['If', 'flag', 'y', [{ name: 'then_branch', type: 'graph', value: inner }]]]),
      1,
    );
    expect([...filled].sort()).toEqual(['a', 'b']);
    const branch = model.graph.nodes[0]?.attributes[0];
    expect(branch?.type === 'graph' && branch.value.initializers.map(({ name }) => name)).toEqual(['b']);
  });

  it('generates the element type the constant had', () => {
    const value = constantTensor('', [0], [1], DataType.float16);
    const model = light({ a: [4, 4] }, [['MatMul', 'x a', 'y']]);
    model.graph.nodes[0]?.attributes.push({ name: 'value', type: 'tensor', value });
    expect(fillLightGraph(model, 1).model.graph.initializers[0]?.dtype).toBe(DataType.float16);
  });
});
