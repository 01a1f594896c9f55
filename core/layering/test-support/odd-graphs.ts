import { DataType, makeNode, type OnnxGraph, type OnnxModel } from '../../onnx';
import { GraphMaker, int, ints } from './graph-maker';

/** Graphs at the edge of what ONNX allows, by what is odd about them. */
export const ODD_GRAPHS: Readonly<Record<string, () => OnnxModel>> = {
  'an output that is an input': () => {
    const g = new GraphMaker(1);
    g.input('x', [2, 3]);
    g.output('x', [2, 3]);
    g.node('Relu', ['x'], {}, 'y');
    g.output('y', [2, 3]);
    return g.model();
  },
  'one node without weights': () => {
    const g = new GraphMaker(1);
    g.node('Identity', [g.input('x', [2, 3])], {}, 'y');
    g.output('y', [2, 3]);
    return g.model();
  },
  'an output that is a weight': () => {
    const g = new GraphMaker(1);
    g.node('Relu', [g.input('x', [2, 3])], {}, 'y');
    g.output('y', [2, 3]);
    g.output(g.weight([300, 200], 1, 'kept'), [300, 200]);
    return g.model();
  },
  'an output that folds to a constant': () => {
    const g = new GraphMaker(1);
    g.node('Relu', [g.input('x', [2, 3])], {}, 'y');
    g.output('y', [2, 3]);
    g.node('Relu', [g.weight([300, 200], 1)], {}, 'folded');
    g.output('folded', [300, 200]);
    return g.model();
  },
  'no input': () => {
    const g = new GraphMaker(1);
    g.node('Relu', [g.weight([300, 200], 1)], {}, 'y');
    g.output('y', [300, 200]);
    return g.model();
  },
  'an input that nothing uses': () => {
    const g = new GraphMaker(1);
    g.input('unused', [4]);
    g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)], {}, 'y');
    g.output('y', [1, 256]);
    return g.model();
  },
  'initializers that are inputs too, as before IR version 4, at opset 7': () => {
    const g = new GraphMaker(1);
    const x = g.input('x', [1, 16, 8, 8]);
    const weight = g.input(g.weight([64, 16, 3, 3], 144, 'w'), [64, 16, 3, 3]);
    const made = g.node('Conv', [x, weight], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) });
    const stats = ['scale', 'shift', 'mean'].map((name) => g.input(g.weight([64], 1, name), [64]));
    g.input(g.tensor(DataType.float32, [64], new Float32Array(64).fill(0.5), 'var'), [64]);
    const normal = g.node('BatchNormalization', [made, ...stats, 'var'], { epsilon: 1e-5 });
    const flat = g.node('Flatten', [normal], { axis: int(1) });
    g.node('Gemm', [flat, g.input(g.weight([4096, 64], 4096, 'fc'), [4096, 64]), g.weight([64], 1)], {}, 'y');
    g.output('y', [1, 64]);
    return g.model({ opset: 7, irVersion: 3 });
  },
  'a shape that depends on the data': () => {
    const g = new GraphMaker(1);
    const product = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)]);
    const places = g.node('NonZero', [g.node('Relu', [product])], {}, 'places');
    g.output(places, [2, 'found'], DataType.int64);
    const column = g.node('Transpose', [places]);
    g.node('GatherND', [product, column], {}, 'positives');
    g.output('positives', ['found']);
    return g.model();
  },
  'an output that later layers use': () => {
    const g = new GraphMaker(1);
    const early = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)], {}, 'early');
    g.output(early, [1, 256]);
    const next = g.node('MatMul', [g.node('Relu', [early]), g.weight([256, 256], 256)]);
    g.node('Add', [next, early], {}, 'late');
    g.output('late', [1, 256]);
    return g.model();
  },
  'heavy weights captured by the branches of an If and by a Loop': capturingSubgraphs,
  'a sequence inside one layer': () => {
    const g = new GraphMaker(1);
    const product = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)]);
    const parts = g.node('SplitToSequence', [product, g.ints([128], [])], { axis: int(1) });
    g.node('SequenceAt', [parts, g.ints([1], [])], {}, 'y');
    g.output('y', [1, 128]);
    return g.model();
  },
  'a sequence that a heavy layer in between does not use': () => {
    const g = new GraphMaker(1);
    const product = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)]);
    const parts = g.node('SplitToSequence', [product, g.ints([128], [])], { axis: int(1) });
    const part = g.node('SequenceAt', [parts, g.ints([0], [])]);
    const wide = g.node('MatMul', [part, g.weight([128, 512], 128)]);
    const zero = g.tensor(DataType.float32, [], new Float32Array(1));
    const isPositive = g.node('Greater', [g.node('ReduceSum', [wide], { keepdims: int(0) }), zero]);
    const chosen = g.node('SequenceAt', [parts, g.node('Cast', [isPositive], { to: int(DataType.int64) })]);
    g.node('MatMul', [chosen, g.weight([128, 512], 128)], {}, 'y');
    g.output('y', [1, 512]);
    return g.model();
  },
  'labels between two heavy layers': () => {
    const g = new GraphMaker(1);
    const first = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)]);
    const labels = g.strings(Array.from({ length: 256 }, (_, at) => `class ${at % 2}`));
    const label = g.node('Gather', [labels, g.node('ArgMax', [first], { axis: int(1), keepdims: int(0) })]);
    g.node('MatMul', [first, g.weight([256, 512], 256)], {}, 'y');
    g.output('y', [1, 512]);
    g.node('Equal', [label, g.strings(['class 1'])], {}, 'odd');
    g.output('odd', [1], DataType.bool);
    return g.model({ opset: 19, irVersion: 9 });
  },
  'heavy nodes that nothing depends on': () => {
    const g = new GraphMaker(1);
    const product = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)]);
    g.node('Relu', [g.node('MatMul', [product, g.weight([256, 512], 256)])]);
    g.node('MatMul', [product, g.weight([256, 512], 256)], {}, 'y');
    g.output('y', [1, 512]);
    return g.model();
  },
  'eight-bit floats that cross layers': () =>
    crossing((g, value) => g.node('Cast', [value], { to: int(DataType.float8e4m3fn) })),
  'an odd number of four-bit integers that cross layers': () =>
    crossing((g, value) =>
      g.node('QuantizeLinear', [value, scaleOf(g, 0.1)], { output_dtype: int(DataType.int4) }),
    ),
  'four-bit weights': () => {
    const g = new GraphMaker(1);
    const packed = Uint8Array.from({ length: (255 * 515 + 1) / 2 }, (_, at) => (at * 37) % 251);
    const weight = g.tensor(DataType.int4, [255, 515], packed);
    const whole = g.node('DequantizeLinear', [weight, scaleOf(g, 0.01)]);
    g.node('MatMul', [g.input('x', [1, 255]), g.node('Mul', [whole, g.input('gain', [1])])], {}, 'y');
    g.output('y', [1, 515]);
    return g.model({ opset: 21, irVersion: 10 });
  },
  'a product of 5000 columns, of which 136 are left over behind the tiles': () => {
    const g = new GraphMaker(1);
    g.node('MatMul', [g.input('x', [16, 256]), g.weight([256, 5000], 256)], {}, 'y');
    g.output('y', [16, 5000]);
    return g.model();
  },
  'a scaled product of one row': () => {
    const g = new GraphMaker(1);
    g.node(
      'Gemm',
      [g.input('x', [1, 512]), g.weight([512, 1000], 512), g.weight([1000], 1)],
      { alpha: 0.3 },
      'y',
    );
    g.output('y', [1, 1000]);
    return g.model();
  },
  'a convolution of one dimension, of which one channel is left over behind the tiles': () => {
    const g = new GraphMaker(1);
    g.node('Conv', [g.input('x', [1, 100, 600]), g.weight([513, 100, 3], 300)], { pads: ints(1, 1) }, 'y');
    g.output('y', [1, 513, 600]);
    return g.model();
  },
  'a square product with a column of biases': () => {
    const g = new GraphMaker(1);
    g.node('Gemm', [g.input('x', [512, 128]), g.weight([128, 512], 128), g.weight([512, 1], 1)], {}, 'y');
    g.output('y', [512, 512]);
    return g.model();
  },
  'convolutions whose residual is their own input, channels that fill no block': () => {
    const g = new GraphMaker(1);
    let x = g.input('x', [1, 136, 4, 4]);
    for (const name of ['first', 'second', 'y']) {
      const weights = [g.weight([136, 136, 3, 3], 136 * 9), g.weight([136], 16)];
      const made = g.node('Conv', [x, ...weights], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) });
      x = g.node('Relu', [g.node('Add', [made, x])], {}, name);
    }
    g.output('y', [1, 136, 4, 4]);
    return g.model();
  },
  'integer convolution and products': integerArithmetic,
  'scalars and an empty tensor': () => {
    const g = new GraphMaker(1);
    const x = g.input('x', [1, 256]);
    g.node('ReduceSum', [x], { keepdims: int(0) }, 'sum');
    g.output('sum', []);
    g.node('Slice', [x, g.ints([0]), g.ints([0]), g.ints([1])], {}, 'none');
    g.output('none', [1, 0]);
    return g.model();
  },
};

/** `narrow` makes a value of few bits, 7 x 37 elements, which is used behind the next heavy layer. */
function crossing(narrow: (g: GraphMaker, value: string) => string): OnnxModel {
  const g = new GraphMaker(1);
  const first = g.node('MatMul', [g.input('x', [7, 1024]), g.weight([1024, 37], 1024)]);
  const few = narrow(g, first);
  const second = g.node('MatMul', [first, g.weight([37, 1024], 37)]);
  const third = g.node('MatMul', [g.node('Relu', [second]), g.weight([1024, 37], 1024)]);
  g.node('Add', [g.node('DequantizeLinear', [few, scaleOf(g, 0.1)]), third], {}, 'y');
  g.output('y', [7, 37]);
  return g.model({ opset: 21, irVersion: 10 });
}

function scaleOf(g: GraphMaker, value: number): string {
  return g.tensor(DataType.float32, [], Float32Array.of(value));
}

function capturingSubgraphs(): OnnxModel {
  const g = new GraphMaker(1);
  const x = g.input('x', [1, 256]);
  const [first, second, third] = [0, 1, 2].map(() => g.weight([256, 256], 256)) as [string, string, string];
  const branch = (name: string, weight: string): OnnxGraph => {
    const inner = new GraphMaker(2);
    inner.node('MatMul', [x, weight], {}, `${name}_out`);
    inner.output(`${name}_out`, [1, 256]);
    return inner.graph(name);
  };
  const total = g.node('ReduceSum', [x], { keepdims: int(0) });
  const zero = g.tensor(DataType.float32, [], new Float32Array(1));
  const condition = g.node('Greater', [total, zero]);
  const branches = { then_branch: branch('then', first), else_branch: branch('else', second) };
  const chosen = g.node('If', [condition], branches);
  const body = new GraphMaker(3);
  body.input('turn', [], DataType.int64);
  body.input('going', [], DataType.bool);
  body.input('state', [1, 256]);
  body.node('Identity', ['going'], {}, 'still_going');
  body.node('Tanh', [body.node('MatMul', ['state', third], {}, 'inner_product')], {}, 'next');
  body.output('still_going', [], DataType.bool);
  body.output('next', [1, 256]);
  const yes = g.tensor(DataType.bool, [], Uint8Array.of(1));
  g.node('Loop', [g.ints([3], []), yes, chosen], { body: body.graph('body') }, 'y');
  g.output('y', [1, 256]);
  return g.model();
}

/** QLinearConv, ConvInteger, QLinearMatMul and MatMulInteger with weights worth a layer each. */
function integerArithmetic(): OnnxModel {
  const g = new GraphMaker(1);
  const bytes = (count: number): Int8Array =>
    Int8Array.from({ length: count }, (_, at) => ((at * 37) % 201) - 100);
  const scale = (value: number): string => g.tensor(DataType.float32, [], Float32Array.of(value));
  const zero = (): string => g.tensor(DataType.int8, [], new Int8Array(1));
  const unsignedZero = (): string => g.tensor(DataType.uint8, [], Uint8Array.of(128));
  const image = g.input('image', [1, 64, 6, 6], DataType.uint8);
  const kernels = g.tensor(DataType.int8, [256, 64, 3, 3], bytes(256 * 64 * 9));
  const plain = { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) };
  const seen = g.node(
    'QLinearConv',
    [image, scale(0.02), unsignedZero(), kernels, scale(0.01), zero(), scale(0.5), unsignedZero()],
    plain,
  );
  const counted = g.tensor(DataType.int8, [64, 256, 3, 3], bytes(64 * 256 * 9));
  g.node('ConvInteger', [seen, counted, unsignedZero(), zero()], plain, 'sums');
  g.output('sums', [1, 64, 6, 6], DataType.int32);
  const rows = g.node('Reshape', [seen, g.ints([36, 256])]);
  const matrix = g.tensor(DataType.int8, [256, 1024], bytes(256 * 1024));
  const scales = [scale(0.5), unsignedZero(), matrix, scale(0.01), zero(), scale(2), unsignedZero()];
  const product = g.node('QLinearMatMul', [rows, ...scales], {}, 'product');
  g.output(product, [36, 1024], DataType.uint8);
  const last = g.tensor(DataType.int8, [1024, 256], bytes(1024 * 256));
  g.node('MatMulInteger', [product, last, unsignedZero(), zero()], {}, 'integers');
  g.output('integers', [36, 256], DataType.int32);
  return g.model();
}

/** `x` [1, 4] -> `y`: a node of a function that the model brings along, y = Relu(x) + x. */
export function localFunction(): OnnxModel {
  const g = new GraphMaker(1);
  g.input('x', [1, 4]);
  g.nodes.push(makeNode('Grow', ['x'], ['y'], {}, { domain: 'local' }));
  g.output('y', [1, 4]);
  const node = (inputs: readonly string[], output: string, opType: string): Uint8Array =>
    message([...inputs.map((name): Field => [1, name]), [2, output], [4, opType]]);
  const grow = message([
    [1, 'Grow'],
    [4, 'a'],
    [5, 'b'],
    [7, node(['a'], 'r', 'Relu')],
    [7, node(['r', 'a'], 'b', 'Add')],
    [
      9,
      message([
        [1, ''],
        [2, 17],
      ]),
    ],
    [10, 'local'],
  ]);
  const model = g.model();
  return { ...model, opsets: [...model.opsets, { domain: 'local', version: 1 }], functions: [grow] };
}

type Field = readonly [number, string | number | Uint8Array];

/** A protobuf message of short fields. */
function message(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.map(([tag, value]) => {
      if (typeof value === 'number') return Buffer.from([tag << 3, value]);
      const bytes = Buffer.from(value);
      return Buffer.concat([Buffer.from([(tag << 3) | 2, bytes.length]), bytes]);
    }),
  );
}
