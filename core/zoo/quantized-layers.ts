import { DataType } from '../onnx';
import { intAttribute, intsAttribute } from './attributes';
import type { Value } from './graph-builder';
import { fixedDim } from './layer-builder';
import type { LayerBuilder, Padding } from './layer-builder';

/** How a float tensor is stored in eight bits: `real = scale * (stored - zeroPoint)`. */
export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly dtype: DataType.int8 | DataType.uint8;
}

export interface QuantizedConvOptions {
  /** Of the activations the convolution reads; its int32 bias has the scale activation x weight. */
  readonly inputScale: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly group?: number;
  /** A weight scale for each output channel instead of one for all. */
  readonly perChannel: boolean;
  /** Weight variance times fan-in, as in `ConvOptions`. */
  readonly gain?: number;
  /**
   * Weights of seven bits: on CPUs without VNNI, ONNX Runtime adds pairs of u8 x s8 products in 16 bits, which full
   * range weights overflow. Its quantizer calls it reduce_range.
   */
  readonly reducedRange?: boolean;
  /** Standard deviation of the bias, in real units; when absent 500 steps of the int32 scale. */
  readonly biasStd?: number;
}

/** int8 values spread over [-100, 100]. */
export const INT8_FILL = { mean: 0, std: 58 };
/** [-62, 62]. */
const REDUCED_FILL = { mean: 0, std: 36 };
const BIAS_STEPS = 500;

/** A Quantize/Dequantize pair: float32 outside, eight bits between. */
export function quantizeDequantize(b: LayerBuilder, x: Value, name: string, to: Quantization): Value {
  const scale = b.buffer(`${name}_scale`, [to.scale], [], DataType.float32);
  const zero = b.buffer(`${name}_zero_point`, [to.zeroPoint], [], to.dtype);
  const inputs = [x, scale, zero];
  const quantized = b.node({ op: 'QuantizeLinear', inputs, shape: x.shape, dtype: to.dtype });
  return dequantize(b, quantized, scale, zero);
}

function dequantize(b: LayerBuilder, x: Value, scale: Value, zero: Value): Value {
  const inputs = [x, scale, zero];
  const attributes = scale.shape.length === 1 ? [intAttribute('axis', 0)] : [];
  return b.node({ op: 'DequantizeLinear', inputs, shape: x.shape, dtype: DataType.float32, attributes });
}

/** A convolution in QDQ form: int8 weights and an int32 bias through DequantizeLinear, as exporters store them. */
export function quantizedConv(
  b: LayerBuilder,
  x: Value,
  name: string,
  channels: number,
  options: QuantizedConvOptions,
): Value {
  const { inputScale, kernel, stride, perChannel, group = 1, gain = 2 } = options;
  const inPerGroup = fixedDim(x, 1) / group;
  const fill = options.reducedRange === true ? REDUCED_FILL : INT8_FILL;
  const weightScale = Math.sqrt(gain / (inPerGroup * kernel * kernel)) / fill.std;
  const count = perChannel ? channels : 1;
  const scales = Array.from({ length: count }, (_, index) => weightScale * (1 + index / count));
  const dims = perChannel ? [count] : [];
  const zeros = scales.map(() => 0);
  const weight = dequantize(
    b,
    b.weight(`${name}.weight_quantized`, [channels, inPerGroup, kernel, kernel], fill, true, DataType.int8),
    b.buffer(`${name}.weight_scale`, scales, dims, DataType.float32),
    b.buffer(`${name}.weight_zero_point`, zeros, dims, DataType.int8),
  );
  const biasScales = scales.map((scale) => scale * inputScale);
  const biasSteps = options.biasStd === undefined ? BIAS_STEPS : options.biasStd / (weightScale * inputScale);
  const bias = dequantize(
    b,
    b.weight(`${name}.bias_quantized`, [channels], { mean: 0, std: biasSteps }, true, DataType.int32),
    b.buffer(`${name}.bias_scale`, biasScales, dims, DataType.float32),
    b.buffer(`${name}.bias_zero_point`, zeros, dims, DataType.int32),
  );
  const { padding } = options;
  const pads = typeof padding === 'number' ? [padding, padding, padding, padding] : [...padding];
  const size = (axis: number) =>
    Math.floor((fixedDim(x, axis + 2) + (pads[axis] ?? 0) + (pads[axis + 2] ?? 0) - kernel) / stride) + 1;
  return b.node({
    op: 'Conv',
    name,
    inputs: [x, weight, bias],
    shape: [1, channels, size(0), size(1)],
    attributes: [
      ...(group === 1 ? [] : [intAttribute('group', group)]),
      intsAttribute('kernel_shape', [kernel, kernel]),
      intsAttribute('pads', pads),
      intsAttribute('strides', [stride, stride]),
    ],
  });
}
