import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import {
  DataType,
  checkModel,
  cloneGraph,
  constantsToInitializers,
  consumers,
  encodeModel,
  extractSubgraph,
  findAttribute,
  hoistSubgraphInitializers,
  removeUnusedNodes,
  intAttribute,
  makeNode,
  makeTensor,
  makeValueInfo,
  nodeInputs,
  producers,
  requiredInputs,
  setAttribute,
  stringAttribute,
  topologicalOrder,
  valueTypes,
} from './index';
import type { OnnxGraph, OnnxModel, OnnxNode } from './index';

const float = DataType.float32;

function graphOf(parts: Partial<OnnxGraph>): OnnxGraph {
  return { name: 'g', nodes: [], inputs: [], outputs: [], initializers: [], valueInfo: [], ...parts };
}

function modelOf(graph: OnnxGraph): OnnxModel {
  return {
    irVersion: 8,
    producerName: '',
    opsets: [{ domain: '', version: 17 }],
    functions: [],
    metadata: new Map(),
    graph,
  };
}

/** A branch that multiplies the outer `x` by its own weight, through a chain that uses the name `w` in two scopes. */
function branch(name: string, factor: number): OnnxGraph {
  return graphOf({
    name,
    nodes: [makeNode('Mul', ['x', 'w'], [`${name}_out`])],
    outputs: [makeValueInfo(`${name}_out`, float)],
    initializers: [makeTensor('w', float, [4], Float32Array.of(factor, factor, factor, factor))],
  });
}

/** `y = (c ? 2x : 3x) + w`, each branch with an initializer of the same name as the outer one. */
function conditional(): OnnxGraph {
  return graphOf({
    nodes: [
      makeNode('If', ['c'], ['picked'], { then_branch: branch('then', 2), else_branch: branch('else', 3) }),
      makeNode('Add', ['picked', 'w'], ['y']),
    ],
    inputs: [makeValueInfo('c', DataType.bool, []), makeValueInfo('x', float, [4])],
    outputs: [makeValueInfo('y', float, [4])],
    initializers: [makeTensor('w', float, [4], Float32Array.of(10, 20, 30, 40))],
  });
}

async function run(graph: OnnxGraph, feeds: Record<string, Tensor>): Promise<unknown> {
  const session = await InferenceSession.create(encodeModel(modelOf(graph)), { intraOpNumThreads: 1 });
  try {
    return (await session.run(feeds))['y']?.data;
  } finally {
    await session.release();
  }
}

describe('queries', () => {
  it('find what subgraphs take from outside, however deep', () => {
    const outer = graphOf({
      nodes: [
        makeNode('If', ['c2'], ['o'], { then_branch: branch('then', 1), else_branch: branch('else', 1) }),
      ],
      outputs: [makeValueInfo('o', float)],
    });
    const node = makeNode('Loop', ['n', '', 'n'], ['r'], { body: outer });
    expect(nodeInputs(node)).toEqual(['n', 'c2', 'x']);
  });

  it('index producers and consumers', () => {
    const { nodes } = conditional();
    const graph = graphOf({ nodes });
    expect(producers(graph).get('picked')).toBe(nodes[0]);
    expect(consumers(graph).get('x')).toEqual([nodes[0]]);
    expect(consumers(graph).get('w')).toEqual([nodes[1]]);
  });

  it('tell inputs that must be fed, and the types of values', () => {
    const graph = conditional();
    graph.inputs.push(makeValueInfo('w', float, [4]));
    expect(requiredInputs(graph).map((value) => value.name)).toEqual(['c', 'x']);
    expect(valueTypes(graph).get('w')).toEqual(makeValueInfo('w', float, [4]));
    expect(valueTypes(graph).get('y')).toEqual(makeValueInfo('y', float, [4]));
    expect(valueTypes(graph).get('picked')).toBeUndefined();
  });

  it('read and set attributes, naming a wrong type', () => {
    const node = makeNode('Conv', ['x', 'w'], ['y'], { group: 4n, auto_pad: 'VALID' });
    expect(intAttribute(node, 'group', 1n)).toBe(4n);
    expect(intAttribute(node, 'other', 1n)).toBe(1n);
    expect(stringAttribute(node, 'auto_pad', 'NOTSET')).toBe('VALID');
    setAttribute(node, { name: 'group', type: 'int', value: 2n });
    expect(node.attributes).toHaveLength(2);
    expect(intAttribute(node, 'group', 1n)).toBe(2n);
    expect(() => findAttribute(node, 'group', 'float')).toThrow(
      /node 'y' \(Conv\): expected attribute 'group' of type float, found int/,
    );
  });
});

describe('topological order', () => {
  const chain = (count: number): OnnxNode[] =>
    Array.from({ length: count }, (_, i) => makeNode('Relu', [`v${i}`], [`v${i + 1}`]));

  it('keeps an order that already runs', () => {
    const nodes = [...chain(3), makeNode('Relu', ['v0'], ['a']), makeNode('Add', ['a', 'v3'], ['b'])];
    expect(topologicalOrder(graphOf({ nodes }))).toEqual(nodes);
  });

  it('puts any shuffled graph into an order that runs', () => {
    const nodes = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { maxLength: 30 }).map((edges) =>
      edges.map((from, i) =>
        makeNode(
          'Any',
          from.filter((j) => j < i).map((j) => `v${j}`),
          [`v${i}`],
        ),
      ),
    );
    const shuffled = nodes.chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
    fc.assert(
      fc.property(shuffled, (list) => {
        const ordered = topologicalOrder(graphOf({ nodes: list }));
        expect(new Set(ordered)).toEqual(new Set(list));
        expect(checkModel(modelOf(graphOf({ nodes: [...ordered] })))).toEqual([]);
      }),
    );
  });

  it('copes with long chains given backwards', () => {
    expect(topologicalOrder(graphOf({ nodes: chain(50_000).reverse() }))[0]?.inputs).toEqual(['v0']);
  });

  it('names the nodes of a cycle', () => {
    const nodes = [
      makeNode('Add', ['x', 'c'], ['a']),
      makeNode('Relu', ['a'], ['b']),
      makeNode('Exp', ['b'], ['c']),
    ];
    expect(() => topologicalOrder(graphOf({ nodes }))).toThrow(
      /in a circle: 'a' \(Add\) <- 'c' \(Exp\) <- 'b' \(Relu\) <- 'a'/,
    );
  });
});

describe('edits', () => {
  const feeds = (c: boolean): Record<string, Tensor> => ({
    c: new Tensor('bool', [c], []),
    x: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [4]),
  });

  it('hoist subgraph initializers under fresh names, without a change of the result', async () => {
    const graph = conditional();
    const hoisted = cloneGraph(graph);
    expect(hoistSubgraphInitializers(hoisted, 17)).toBe(0);
    expect(hoistSubgraphInitializers(hoisted, 16)).toBe(2);
    expect(hoisted.initializers.map((tensor) => tensor.name)).toEqual(['w', 'then.w', 'else.w']);
    expect(checkModel(modelOf(hoisted))).toEqual([]);
    // The graph it was cloned from is as before.
    expect(graph).toEqual(conditional());
    for (const c of [true, false]) expect(await run(hoisted, feeds(c))).toEqual(await run(graph, feeds(c)));
  });

  it('turn constants into initializers, in subgraphs too', () => {
    const tensor = makeTensor('', float, [1], Float32Array.of(3));
    const branch = graphOf({
      nodes: [makeNode('Constant', [], ['b'], { value: tensor })],
      outputs: [makeValueInfo('b', float)],
    });
    const graph = graphOf({
      nodes: [
        makeNode('Constant', [], ['k'], { value: tensor }),
        makeNode('Constant', [], ['f'], { value_float: 1 }),
        makeNode('If', ['c'], ['y'], { then_branch: branch, else_branch: branch }),
      ],
      outputs: [makeValueInfo('y', float)],
    });
    expect(constantsToInitializers(graph)).toBe(2);
    expect(graph.initializers).toEqual([{ ...tensor, name: 'k' }]);
    expect(graph.nodes.map((node) => node.outputs[0])).toEqual(['f', 'y']);
    expect(branch.initializers).toEqual([{ ...tensor, name: 'b' }]);
    expect(branch.nodes).toEqual([]);
  });

  it('drop nodes that no output depends on, and keep what a subgraph captures', () => {
    const branch = graphOf({
      nodes: [makeNode('Relu', ['captured'], ['b'])],
      outputs: [makeValueInfo('b', float)],
    });
    const graph = graphOf({
      nodes: [
        makeNode('Abs', ['x'], ['captured']),
        makeNode('Neg', ['x'], ['dead']),
        makeNode('Exp', ['dead'], ['deader']),
        makeNode('If', ['c'], ['y'], { then_branch: branch, else_branch: branch }),
      ],
      outputs: [makeValueInfo('y', float)],
    });
    removeUnusedNodes(graph);
    expect(graph.nodes.map((node) => node.opType)).toEqual(['Abs', 'If']);
  });

  it('extract nodes with what they need, and run them', async () => {
    const graph = conditional();
    const add = graph.nodes.slice(1);
    const part = extractSubgraph(graph, {
      name: 'part',
      nodes: add,
      inputs: [makeValueInfo('picked', float, [4])],
      outputs: graph.outputs,
    });
    expect(part.initializers.map((tensor) => tensor.name)).toEqual(['w']);
    const picked = new Tensor('float32', Float32Array.of(1, 1, 1, 1), [4]);
    expect(await run(part, { picked })).toEqual(Float32Array.of(11, 21, 31, 41));

    const weightless = extractSubgraph(graph, {
      name: 'part',
      nodes: add,
      inputs: [makeValueInfo('picked', float, [4]), makeValueInfo('w', float, [4])],
      outputs: graph.outputs,
    });
    expect(weightless.initializers).toEqual([]);
    expect(await run(weightless, { picked, w: picked })).toEqual(Float32Array.of(2, 2, 2, 2));

    expect(() => extractSubgraph(graph, { name: 'part', nodes: add, inputs: [], outputs: [] })).toThrow(
      /subgraph 'part' of 'g': nothing makes or feeds picked/,
    );
  });
});

describe('checkModel', () => {
  it('finds nothing in a sound model', () => {
    expect(checkModel(modelOf(conditional()))).toEqual([]);
  });

  it('lists every fault at once', () => {
    const graph = graphOf({
      nodes: [
        makeNode('Relu', ['later'], ['a']),
        makeNode('Relu', ['x'], ['later']),
        makeNode('Relu', ['none'], ['a'], {}, { name: 'second' }),
        makeNode('Gelu', ['x'], ['b'], {}, { domain: 'com.microsoft' }),
        makeNode('If', ['x'], ['i'], {
          then_branch: graphOf({ name: 't', outputs: [makeValueInfo('q', float)] }),
        }),
      ],
      inputs: [makeValueInfo('x', float)],
      outputs: [makeValueInfo('y', float)],
    });
    expect(checkModel(modelOf(graph))).toEqual([
      "graph 'g': node 'a' (Relu) uses 'later' before it is made",
      "graph 'g': node 'second' (Relu) uses 'none', which nothing defines",
      "graph 'g': 'a' is defined twice, the second time as an output of node 'second' (Relu)",
      "graph 'g': node 'b' (Gelu): the model does not import operator set 'com.microsoft'",
      "graph 'g': node 'i' (If) > graph 't': output 'q' is never made",
      "graph 'g': output 'y' is never made",
    ]);
    expect(checkModel({ ...modelOf(conditional()), opsets: [] })).toEqual([
      'the model imports no operator set; expected at least one opset_import',
    ]);
  });
});
