import { DataType, makeNode, makeTensor, type OnnxGraph, type OnnxModel } from '../../onnx';
import { GraphMaker, int } from './graph-maker';

/** Graphs whose subgraphs hold constants of their own, by where those are. All: `x` [1, 256] -> `y` [1, 256]. */
export const ODD_SUBGRAPHS: Readonly<Record<string, () => OnnxModel>> = {
  'heavy Constant nodes in the branches of an If': () =>
    conditional((name) => {
      const inner = new GraphMaker(2);
      const weight = constantNode(inner, `${name}_weight`, [256, 256], 256);
      inner.node('MatMul', ['x', weight], {}, `${name}_out`);
      inner.output(`${name}_out`, [1, 256]);
      return inner.graph(name);
    }),
  'heavy constants in branches that the optimiser folds': () =>
    conditional((name) => {
      const inner = new GraphMaker(2);
      const weight = inner.node(
        'Abs',
        [constantNode(inner, `${name}_weight`, [256, 256], 256)],
        {},
        `${name}_abs`,
      );
      inner.node('MatMul', ['x', weight], {}, `${name}_out`);
      inner.output(`${name}_out`, [1, 256]);
      return inner.graph(name);
    }),
  'branches that give out heavy constants, a node and an initializer': () => {
    const g = new GraphMaker(1);
    const node = new GraphMaker(2);
    node.output(constantNode(node, 'made', [256, 256], 256), [256, 256]);
    const initializer = new GraphMaker(3);
    initializer.output(initializer.weight([256, 256], 256, 'given'), [256, 256]);
    const branches = { then_branch: node.graph('then'), else_branch: initializer.graph('else') };
    const chosen = g.node('If', [isPositive(g)], branches);
    g.node('MatMul', ['x', chosen], {}, 'y');
    g.output('y', [1, 256]);
    return g.model();
  },
  'branches that give out small constants': () =>
    conditional((name) => {
      const inner = new GraphMaker(2);
      inner.output(constantNode(inner, `${name}_out`, [1, 256], 1), [1, 256]);
      return inner.graph(name);
    }),
  'small Constant nodes in the body of a Loop': () => {
    const g = new GraphMaker(1);
    const body = new GraphMaker(2);
    body.input('turn', [], DataType.int64);
    body.input('going', [], DataType.bool);
    body.input('state', [1, 256]);
    body.node('Identity', ['going'], {}, 'still_going');
    const half = constantNode(body, 'half', [1], 1);
    const shift = constantNode(body, 'shift', [1, 256], 1);
    body.node('Add', [body.node('Mul', ['state', half], {}, 'halved'), shift], {}, 'next');
    body.output('still_going', [], DataType.bool);
    body.output('next', [1, 256]);
    const yes = g.tensor(DataType.bool, [], Uint8Array.of(1));
    g.node('Loop', [g.ints([3], []), yes, g.input('x', [1, 256])], { body: body.graph('body') }, 'y');
    g.output('y', [1, 256]);
    return g.model();
  },
};

function conditional(branch: (name: string) => OnnxGraph): OnnxModel {
  const g = new GraphMaker(1);
  const branches = { then_branch: branch('then'), else_branch: branch('else') };
  g.node('If', [isPositive(g)], branches, 'y');
  g.output('y', [1, 256]);
  return g.model();
}

function isPositive(g: GraphMaker): string {
  const total = g.node('ReduceSum', [g.input('x', [1, 256])], { keepdims: int(0) });
  return g.node('Greater', [total, g.tensor(DataType.float32, [], new Float32Array(1))]);
}

/** A Constant node of seeded values. @returns its output. */
function constantNode(g: GraphMaker, name: string, dims: readonly number[], fanIn: number): string {
  const weight = g.weight(dims, fanIn, name);
  const value = g.initializers.pop() ?? makeTensor('', DataType.float32, [0], new Float32Array());
  g.nodes.push(makeNode('Constant', [], [weight], { value }));
  return weight;
}
