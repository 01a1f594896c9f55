import { DataType } from '../onnx';
import { intAttribute } from './attributes';
import type { Value } from './graph-builder';
import { LayerBuilder } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

const WIDTH = 32;
const STEPS = 3;

/**
 * `input` [1, 32] -> `output` [1, 32]. A Loop multiplies by `loop.weight` three times; then an If takes
 * `then.weight` when the elements sum to more than zero, `else.weight` otherwise. The loop's weight and the then
 * branch's are captured from the outer graph, the else branch's is the branch's own.
 */
export const TINY_IF: ZooNetwork = {
  id: 'tiny-if',
  title: 'Tiny network with If and Loop',
  source: 'made for tests',
  parameters: 3 * WIDTH * WIDTH,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_if', seed });
    const input = b.input('input', [1, WIDTH]);
    const looped = loop(b, seed, input);
    const attributes = [intAttribute('keepdims', 0)];
    const sum = b.node({ op: 'ReduceSum', inputs: [looped], shape: [], attributes });
    const positive = b.node({ op: 'Greater', inputs: [sum, b.scalar(0)], shape: [], dtype: DataType.bool });
    const captured = square(b, 'then.weight');
    const output = b.node({
      op: 'If',
      inputs: [positive],
      shape: [1, WIDTH],
      dtype: DataType.float32,
      attributes: [
        {
          name: 'then_branch',
          type: 'graph',
          value: branch(seed, 'then', (inner) => inner.matmul(looped, captured)),
        },
        {
          name: 'else_branch',
          type: 'graph',
          value: branch(seed, 'else', (inner) => inner.matmul(looped, square(inner, 'else.weight'))),
        },
      ],
    });
    b.output('output', output);
    return b.model();
  },
};

function branch(seed: number, name: string, build: (inner: LayerBuilder) => Value) {
  const inner = new LayerBuilder({ name: `tiny_if_${name}`, seed, scope: name });
  inner.output(`${name}_result`, build(inner));
  return inner.graph();
}

function loop(b: LayerBuilder, seed: number, input: Value): Value {
  const weight = square(b, 'loop.weight');
  const body = new LayerBuilder({ name: 'tiny_if_loop', seed, scope: 'loop' });
  body.input('loop_step', [], DataType.int64);
  const going = body.input('loop_going', [], DataType.bool);
  const state = body.input('loop_state', [1, WIDTH]);
  body.output('loop_continue', body.unary('Identity', going));
  body.output('loop_next', body.unary('Tanh', body.matmul(state, weight)));
  return b.node({
    op: 'Loop',
    inputs: [b.int64([STEPS], []), b.constant([1], [], DataType.bool), input],
    shape: [1, WIDTH],
    dtype: DataType.float32,
    attributes: [{ name: 'body', type: 'graph', value: body.graph() }],
  });
}

function square(b: LayerBuilder, name: string): Value {
  return b.weight(name, [WIDTH, WIDTH], { mean: 0, std: Math.sqrt(2 / WIDTH) });
}
