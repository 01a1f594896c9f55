import { DataType } from '../onnx';
import { intAttribute, intsAttribute } from './attributes';
import type { Value } from './graph-builder';
import { LayerBuilder, fixedDim } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

/** int8 values spread over [-100, 100]. */
const INT8_FILL = { mean: 0, std: 58 };
/** Unit-scale activations cover [-3.2, 3.2]. */
const ACTIVATION_SCALE = 0.025;

/**
 * `input` [1, 3, 16, 16] -> `output` [1, 10], float32 outside. Convolutions in QDQ form (int8 weights through
 * DequantizeLinear, activations through a Quantize/Dequantize pair, a scale per output channel in the second),
 * the classifier as dynamically quantized MatMulInteger.
 */
export const TINY_INT8: ZooNetwork = {
  id: 'tiny-int8',
  title: 'Tiny int8 network',
  source: 'made for tests',
  parameters: 5_418,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_int8', seed });
    let x = quantizeDequantize(b, b.input('input', [1, 3, 16, 16]), 'input');
    x = quantizeDequantize(b, b.relu(quantizedConv(b, x, 'conv1', 16, false)), 'conv1_out');
    x = quantizeDequantize(b, b.relu(quantizedConv(b, x, 'conv2', 32, true)), 'conv2_out');
    const pooled = b.flatten(b.globalAveragePool(x));
    b.output('output', integerLinear(b, pooled, 'fc', 10));
    return b.model();
  },
};

function quantizeDequantize(b: LayerBuilder, x: Value, name: string): Value {
  const scale = b.buffer(`${name}_scale`, [ACTIVATION_SCALE], [], DataType.float32);
  const zero = b.buffer(`${name}_zero_point`, [0], [], DataType.int8);
  const inputs = [x, scale, zero];
  const quantized = b.node({ op: 'QuantizeLinear', inputs, shape: x.shape, dtype: DataType.int8 });
  return dequantize(b, quantized, scale, zero);
}

function dequantize(b: LayerBuilder, x: Value, scale: Value, zero: Value): Value {
  const inputs = [x, scale, zero];
  const attributes = scale.shape.length === 1 ? [intAttribute('axis', 0)] : [];
  return b.node({ op: 'DequantizeLinear', inputs, shape: x.shape, dtype: DataType.float32, attributes });
}

/** 3x3, padding 1, stride 2; the bias is int32 with scale activation x weight, as QDQ exporters store it. */
function quantizedConv(
  b: LayerBuilder,
  x: Value,
  name: string,
  channels: number,
  perChannel: boolean,
): Value {
  const inChannels = fixedDim(x, 1);
  const weightScale = Math.sqrt(2 / (inChannels * 9)) / INT8_FILL.std;
  const count = perChannel ? channels : 1;
  const scales = Array.from({ length: count }, (_, index) => weightScale * (1 + index / count));
  const dims = perChannel ? [count] : [];
  const zeros = scales.map(() => 0);
  const weight = dequantize(
    b,
    b.weight(`${name}.weight_quantized`, [channels, inChannels, 3, 3], INT8_FILL, true, DataType.int8),
    b.buffer(`${name}.weight_scale`, scales, dims, DataType.float32),
    b.buffer(`${name}.weight_zero_point`, zeros, dims, DataType.int8),
  );
  const biasScales = scales.map((scale) => scale * ACTIVATION_SCALE);
  const bias = dequantize(
    b,
    b.weight(`${name}.bias_quantized`, [channels], { mean: 0, std: 500 }, true, DataType.int32),
    b.buffer(`${name}.bias_scale`, biasScales, dims, DataType.float32),
    b.buffer(`${name}.bias_zero_point`, zeros, dims, DataType.int32),
  );
  const half = (axis: number) => Math.ceil(fixedDim(x, axis) / 2);
  return b.node({
    op: 'Conv',
    name,
    inputs: [x, weight, bias],
    shape: [1, channels, half(2), half(3)],
    attributes: [
      intsAttribute('kernel_shape', [3, 3]),
      intsAttribute('pads', [1, 1, 1, 1]),
      intsAttribute('strides', [2, 2]),
    ],
  });
}

/** DynamicQuantizeLinear, MatMulInteger, then back to float: what ORT's dynamic quantization writes. */
function integerLinear(b: LayerBuilder, x: Value, name: string, outFeatures: number): Value {
  const inFeatures = fixedDim(x, 1);
  const weightScale = 1 / Math.sqrt(inFeatures) / INT8_FILL.std;
  const weightDims = [inFeatures, outFeatures];
  const weight = b.weight(`${name}.weight_quantized`, weightDims, INT8_FILL, true, DataType.int8);
  const zero = b.buffer(`${name}.weight_zero_point`, [0], [], DataType.int8);
  const [quantized, scale, zeroPoint] = b.nodeWithOutputs(
    { op: 'DynamicQuantizeLinear', inputs: [x], dtype: DataType.uint8 },
    [x.shape, [], []],
  );
  const inputs = [quantized, weight, zeroPoint, zero];
  const shape = [1, outFeatures];
  const product = b.node({ op: 'MatMulInteger', inputs, shape, dtype: DataType.int32 });
  const toFloat = [intAttribute('to', DataType.float32)];
  const floats = b.node({
    op: 'Cast',
    inputs: [product],
    shape,
    dtype: DataType.float32,
    attributes: toFloat,
  });
  const weightScales = b.buffer(`${name}.weight_scale`, [weightScale], [], DataType.float32);
  const scales = b.node({ op: 'Mul', inputs: [scale, weightScales], shape: [], dtype: DataType.float32 });
  const bias = b.weight(`${name}.bias`, [outFeatures], { mean: 0, std: 0.05 });
  return b.add(b.binary('Mul', floats, scales), bias);
}
