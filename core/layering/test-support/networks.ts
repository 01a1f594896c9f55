import { DataType, type OnnxModel } from '../../onnx';
import { GraphMaker, int, ints } from './graph-maker';

/** A float matrix product whose weights outweigh a layer's least size. */
export function twoProducts(seed: number, width = 512): OnnxModel {
  const g = new GraphMaker(seed);
  const x = g.input('x', [1, width]);
  const hidden = g.node('Relu', [g.node('MatMul', [x, g.weight([width, width], width, 'first')])]);
  g.node('MatMul', [hidden, g.weight([width, width], width, 'second')], {}, 'y');
  g.output('y', [1, width]);
  return g.model();
}

/** `x` [rows, 640] -> `y` [rows, 512] through some columns: products as attention layers have them, about 7 MB. */
export function productsOf(seed: number, rows: number, columns: number): OnnxModel {
  const g = new GraphMaker(seed);
  const x = g.input('x', [rows, 640]);
  const hidden = g.node('Relu', [g.node('MatMul', [x, g.weight([640, columns], 640, 'up')])]);
  const bias = g.weight([512], 1, 'bias');
  g.node('Gemm', [hidden, g.weight([512, columns], columns, 'down'), bias], { transB: int(1) }, 'y');
  g.output('y', [rows, 512]);
  return g.model();
}

/**
 * `image` [1, 64, 8, 8] and `ids` [1, 64] (0..4095) -> `output` [1, 1000], 29 MB: every kind of heavy node.
 * Convolutions with a fused residual sum and without, Gemm with its weight either way round, matrix products of 64
 * rows, and an embedding table that is read by the row.
 */
export function mediumNetwork(seed: number): OnnxModel {
  const g = new GraphMaker(seed);
  const seen = imageBranch(g, g.input('image', [1, 64, 8, 8]));
  const read = textBranch(g, g.input('ids', [1, 64], DataType.int64));
  const joined = g.node('Concat', [seen, read], { axis: int(1) });
  const weight = g.weight([1000, 1536], 1536, 'classes.weight');
  g.node('Gemm', [joined, weight, g.weight([1000], 1, 'classes.bias')], { transB: int(1) }, 'output');
  g.output('output', [1, 1000]);
  return g.model();
}

function imageBranch(g: GraphMaker, image: string): string {
  const wide = g.node('Relu', [conv(g, image, 'stem', [256, 64, 1, 1])]);
  const inner = g.node('Relu', [conv(g, wide, 'inner', [256, 256, 3, 3])]);
  const sum = g.node('Relu', [g.node('Add', [conv(g, inner, 'residual', [256, 256, 3, 3]), wide])]);
  const pooled = g.node('AveragePool', [sum], { kernel_shape: ints(4, 2), strides: ints(4, 2) });
  const flat = g.node('Flatten', [pooled], { axis: int(1) });
  const bias = g.weight([1024], 1, 'dense.bias');
  return g.node('Relu', [g.node('Gemm', [flat, g.weight([2048, 1024], 2048, 'dense.weight'), bias])]);
}

function conv(
  g: GraphMaker,
  x: string,
  name: string,
  dims: readonly [number, number, number, number],
): string {
  const [channels, inner, kernel] = dims;
  const pad = Math.floor(kernel / 2);
  const weight = g.weight(dims, inner * kernel * kernel, `${name}.weight`);
  return g.node('Conv', [x, weight, g.weight([channels], 16, `${name}.bias`)], {
    kernel_shape: ints(kernel, kernel),
    pads: ints(pad, pad, pad, pad),
  });
}

function textBranch(g: GraphMaker, ids: string): string {
  const words = g.node('Gather', [g.weight([4096, 512], 1, 'words'), ids], { axis: int(0) });
  const up = g.node('MatMul', [words, g.weight([512, 1024], 512, 'up.weight')]);
  const active = g.node('Relu', [g.node('Add', [up, g.weight([1024], 16, 'up.bias')])]);
  const down = g.node('MatMul', [active, g.weight([1024, 512], 1024, 'down.weight')]);
  return g.node('ReduceMean', [g.node('Add', [down, words])], { axes: ints(1), keepdims: int(0) });
}

/** `image` [b, 64, 8, 8] and `rows` [n, 256] -> `seen` [b, 1024], `read` [n, 512]: heavy nodes of any batch size. */
export function dynamicNetwork(seed: number): OnnxModel {
  const g = new GraphMaker(seed);
  const image = g.input('image', ['b', 64, 8, 8]);
  const wide = g.node('Relu', [conv(g, image, 'first', [128, 64, 3, 3])]);
  const sum = g.node('Relu', [g.node('Add', [conv(g, wide, 'second', [128, 128, 3, 3]), wide])]);
  const flat = g.node('Flatten', [g.node('GlobalAveragePool', [sum])], { axis: int(1) });
  g.node('Gemm', [flat, g.weight([128, 1024], 128), g.weight([1024], 16)], {}, 'seen');
  g.output('seen', ['b', 1024]);
  const up = g.node('Relu', [g.node('MatMul', [g.input('rows', ['n', 256]), g.weight([256, 1024], 256)])]);
  const turned = g.node('Transpose', [up], { perm: ints(1, 0) });
  g.node('Gemm', [turned, g.weight([1024, 512], 1024)], { transA: int(1) }, 'read');
  g.output('read', ['n', 512]);
  return g.model();
}

/** What decides a random network: see `randomNetwork`. */
export interface RandomShape {
  readonly seed: number;
  /** Channels of each convolution after the first. */
  readonly channels: readonly number[];
  /** Columns of each dense layer. */
  readonly widths: readonly number[];
  readonly side: number;
  readonly residual: boolean;
}

/** `input` [1, 16, side, side] -> `output` [1, last width]: convolutions, some with a sum, then dense layers. */
export function randomNetwork(shape: RandomShape): OnnxModel {
  const g = new GraphMaker(shape.seed);
  let x = g.input('input', [1, 16, shape.side, shape.side]);
  let channels = 16;
  shape.channels.forEach((next, at) => {
    const made = conv(g, x, `conv${at}`, [next, channels, 3, 3]);
    const fits = shape.residual && next === channels;
    x = g.node('Relu', [fits ? g.node('Add', [made, x]) : made]);
    channels = next;
  });
  x = g.node('Flatten', [g.node('GlobalAveragePool', [x])], { axis: int(1) });
  let width = channels;
  shape.widths.forEach((next, at) => {
    const last = at === shape.widths.length - 1;
    const inputs = [x, g.weight([width, next], width), g.weight([next], 16)];
    x = g.node('Gemm', inputs, {}, last ? 'output' : g.fresh('v'));
    if (!last) x = g.node('Relu', [x]);
    width = next;
  });
  g.output('output', [1, width]);
  return g.model();
}
