import { SluiceError } from '../contract';
import { DataType } from '../onnx';
import type { Dim } from '../onnx';
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from './attributes';
import { GraphBuilder } from './graph-builder';
import type { Value } from './graph-builder';

/** Symmetric padding, or ONNX's [top, left, bottom, right]. */
export type Padding = number | readonly [number, number, number, number];

export interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** Half the kernel, rounded down, when absent: 'same' for odd kernels and stride 1. */
  readonly padding?: Padding;
  readonly group?: number;
  readonly bias?: boolean;
  /** Weight variance times fan-in; 2 keeps the scale through a ReLU (He et al. 2015), 1 through nothing. */
  readonly gain?: number;
}

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding?: Padding;
}

/** Biases are small against unit-scale activations, but not zero, so that dropping one shows in the output. */
const BIAS_FILL = { mean: 0, std: 0.05 };

/** Layers over image tensors `[batch, channels, height, width]` and sequences `[batch, tokens, features]`. */
export class LayerBuilder extends GraphBuilder {
  conv(x: Value, name: string, outChannels: number, options: ConvOptions): Value {
    const { kernel, stride = 1, group = 1, bias = false, gain = 2 } = options;
    const pads = padsOf(options.padding ?? Math.floor(kernel / 2));
    const inPerGroup = fixedDim(x, 1) / group;
    const fanIn = inPerGroup * kernel * kernel;
    const dims = [outChannels, inPerGroup, kernel, kernel];
    const weight = this.weight(`${name}.weight`, dims, { mean: 0, std: Math.sqrt(gain / fanIn) });
    const inputs = bias ? [x, weight, this.weight(`${name}.bias`, [outChannels], BIAS_FILL)] : [x, weight];
    return this.node({
      op: 'Conv',
      name,
      inputs,
      shape: [x.shape[0] ?? '', outChannels, ...windowSizes(x, kernel, stride, pads)],
      attributes: [
        intsAttribute('dilations', [1, 1]),
        intAttribute('group', group),
        intsAttribute('kernel_shape', [kernel, kernel]),
        intsAttribute('pads', pads),
        intsAttribute('strides', [stride, stride]),
      ],
    });
  }

  /** `gamma` is the mean scale: below 1 for the last one of a residual branch, or depth adds up. */
  batchNorm(x: Value, name: string, { gamma = 1, epsilon = 1e-5 } = {}): Value {
    const dims = [fixedDim(x, 1)];
    const inputs = [
      x,
      this.weight(`${name}.weight`, dims, { mean: gamma, std: gamma * 0.1 }),
      this.weight(`${name}.bias`, dims, { mean: 0, std: 0.1 }),
      this.weight(`${name}.running_mean`, dims, { mean: 0, std: 0.1 }, false),
      this.weight(`${name}.running_var`, dims, { mean: 1, std: 0.1 }, false),
    ];
    const attributes = [floatAttribute('epsilon', epsilon), floatAttribute('momentum', 0.9)];
    return this.node({ op: 'BatchNormalization', name, inputs, shape: x.shape, attributes });
  }

  maxPool(x: Value, options: PoolOptions): Value {
    return this.pool('MaxPool', x, options);
  }

  averagePool(x: Value, options: PoolOptions): Value {
    return this.pool('AveragePool', x, options);
  }

  globalAveragePool(x: Value): Value {
    return this.node({ op: 'GlobalAveragePool', inputs: [x], shape: [...x.shape.slice(0, 2), 1, 1] });
  }

  relu(x: Value): Value {
    return this.unary('Relu', x);
  }

  /** A dense layer: Gemm over `[batch, in]`, MatMul and Add over anything longer, as PyTorch exports them. */
  linear(x: Value, name: string, outFeatures: number, { gain = 1 } = {}): Value {
    const inFeatures = fixedDim(x, x.shape.length - 1);
    const fill = { mean: 0, std: Math.sqrt(gain / inFeatures) };
    const shape = [...x.shape.slice(0, -1), outFeatures];
    if (x.shape.length === 2) {
      const weight = this.weight(`${name}.weight`, [outFeatures, inFeatures], fill);
      const bias = this.weight(`${name}.bias`, [outFeatures], BIAS_FILL);
      const attributes = [floatAttribute('alpha', 1), floatAttribute('beta', 1), intAttribute('transB', 1)];
      return this.node({ op: 'Gemm', name, inputs: [x, weight, bias], shape, attributes });
    }
    const bias = this.weight(`${name}.bias`, [outFeatures], BIAS_FILL);
    const weight = this.weight(`${name}.weight`, [inFeatures, outFeatures], fill);
    const product = this.node({ op: 'MatMul', name, inputs: [x, weight], shape });
    return this.node({ op: 'Add', name, inputs: [bias, product], shape });
  }

  layerNorm(x: Value, name: string, epsilon: number): Value {
    const dims = [fixedDim(x, x.shape.length - 1)];
    const scale = this.weight(`${name}.weight`, dims, { mean: 1, std: 0.1 });
    const bias = this.weight(`${name}.bias`, dims, BIAS_FILL);
    const attributes = [intAttribute('axis', -1), floatAttribute('epsilon', epsilon)];
    return this.node({
      op: 'LayerNormalization',
      name,
      inputs: [x, scale, bias],
      shape: x.shape,
      attributes,
    });
  }

  /** GELU by the error function, in the five operators PyTorch exports at opset 17. */
  gelu(x: Value): Value {
    const erf = this.unary('Erf', this.binary('Div', x, this.scalar(Math.SQRT2)));
    return this.binary('Mul', this.binary('Mul', x, this.add(erf, this.scalar(1))), this.scalar(0.5));
  }

  /** x tanh(softplus(x)), Misra 2019, in the operators PyTorch exports at opset 17. */
  mish(x: Value): Value {
    return this.binary('Mul', x, this.unary('Tanh', this.unary('Softplus', x)));
  }

  softmax(x: Value, axis = -1): Value {
    const attributes = [intAttribute('axis', axis)];
    return this.node({ op: 'Softmax', inputs: [x], shape: x.shape, attributes });
  }

  unary(op: string, x: Value): Value {
    return this.node({ op, inputs: [x], shape: x.shape });
  }

  add(a: Value, b: Value): Value {
    return this.binary('Add', a, b);
  }

  /** Elementwise with broadcasting of equal-rank or shorter operands. */
  binary(op: string, a: Value, b: Value): Value {
    return this.node({ op, inputs: [a, b], shape: broadcast(a, b) });
  }

  matmul(a: Value, b: Value): Value {
    const shape = [...a.shape.slice(0, -1), b.shape.at(-1) ?? ''];
    return this.node({ op: 'MatMul', inputs: [a, b], shape });
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (!first) throw new SluiceError('internal', 'Concat needs at least one value.');
    const total = values.reduce((sum, value) => sum + fixedDim(value, axis), 0);
    const shape = first.shape.map((dim, index) => (index === axis ? total : dim));
    return this.node({ op: 'Concat', inputs: values, shape, attributes: [intAttribute('axis', axis)] });
  }

  flatten(x: Value): Value {
    const features = x.shape.slice(1).reduce((product: number, _, i) => product * fixedDim(x, i + 1), 1);
    const attributes = [intAttribute('axis', 1)];
    return this.node({ op: 'Flatten', inputs: [x], shape: [x.shape[0] ?? '', features], attributes });
  }

  /** `target` is what the operator is given: 0 copies that size of `x`, as exports with dynamic axes have it. */
  reshape(x: Value, target: readonly number[]): Value {
    const shape = target.map((dim, axis) => (dim === 0 ? (x.shape[axis] ?? '') : dim));
    const attributes = [intAttribute('allowzero', 0)];
    return this.node({ op: 'Reshape', inputs: [x, this.int64(target)], shape, attributes });
  }

  transpose(x: Value, order: readonly number[]): Value {
    const shape = order.map((axis) => x.shape[axis] ?? '');
    return this.node({ op: 'Transpose', inputs: [x], shape, attributes: [intsAttribute('perm', order)] });
  }

  /** One slice of `x` along `axis`, without that axis. */
  gatherOne(x: Value, index: number, axis: number): Value {
    const shape = x.shape.filter((_, dim) => dim !== axis);
    const attributes = [intAttribute('axis', axis)];
    return this.node({ op: 'Gather', inputs: [x, this.int64([index], [])], shape, attributes });
  }

  /** Rows of `table` `[rows, features]` picked by `ids`. */
  embedding(table: Value, ids: Value, name: string): Value {
    const shape = [...ids.shape, fixedDim(table, 1)];
    return this.node({
      op: 'Gather',
      name,
      inputs: [table, ids],
      shape,
      attributes: [intAttribute('axis', 0)],
    });
  }

  /** Doubles height and width by repeating pixels. */
  upsample(x: Value): Value {
    const shape = [...x.shape.slice(0, 2), fixedDim(x, 2) * 2, fixedDim(x, 3) * 2];
    const attributes = [
      stringAttribute('coordinate_transformation_mode', 'asymmetric'),
      stringAttribute('mode', 'nearest'),
      stringAttribute('nearest_mode', 'floor'),
    ];
    const scales = this.constant([1, 1, 2, 2], [4], DataType.float32);
    return this.node({ op: 'Resize', inputs: [x, undefined, scales], shape, attributes });
  }

  private pool(op: string, x: Value, { kernel, stride, padding = 0 }: PoolOptions): Value {
    const pads = padsOf(padding);
    const shape = [...x.shape.slice(0, 2), ...windowSizes(x, kernel, stride, pads)];
    const attributes = [
      intAttribute('ceil_mode', 0),
      intsAttribute('kernel_shape', [kernel, kernel]),
      intsAttribute('pads', pads),
      intsAttribute('strides', [stride, stride]),
    ];
    return this.node({ op, inputs: [x], shape, attributes });
  }
}

/** @throws SluiceError `internal` when the axis is dynamic or absent. */
export function fixedDim(value: Value, axis: number): number {
  const dim = value.shape[axis];
  if (typeof dim === 'number') return dim;
  const found = `[${value.shape.join(', ')}]`;
  throw new SluiceError(
    'internal',
    `Axis ${axis} of ${value.name} must have a fixed size; its shape is ${found}.`,
  );
}

function padsOf(padding: Padding): readonly [number, number, number, number] {
  return typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
}

/** Output height and width of a sliding window; dynamic sizes stay unknown. */
function windowSizes(x: Value, kernel: number, stride: number, pads: readonly number[]): Dim[] {
  return [0, 1].map((axis) => {
    const size = x.shape[axis + 2];
    if (typeof size !== 'number') return '';
    return Math.floor((size + (pads[axis] ?? 0) + (pads[axis + 2] ?? 0) - kernel) / stride) + 1;
  });
}

function broadcast(a: Value, b: Value): readonly Dim[] {
  const [long, short] = a.shape.length >= b.shape.length ? [a.shape, b.shape] : [b.shape, a.shape];
  const offset = long.length - short.length;
  return long.map((dim, axis) => (dim === 1 ? (short[axis - offset] ?? dim) : dim));
}
