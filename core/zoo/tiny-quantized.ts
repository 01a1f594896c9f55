import { DataType } from '../onnx';
import { intAttribute } from './attributes';
import type { Value } from './graph-builder';
import { LayerBuilder, fixedDim } from './layer-builder';
import { INT8_FILL, quantizeDequantize, quantizedConv } from './quantized-layers';
import type { ZooNetwork } from './zoo-network';

/** Unit-scale activations cover [-3.2, 3.2]. */
const ACTIVATION = { scale: 0.025, zeroPoint: 0, dtype: DataType.int8 } as const;
const CONVOLUTION = { inputScale: ACTIVATION.scale, kernel: 3, stride: 2, padding: 1 } as const;

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
    let x = quantizeDequantize(b, b.input('input', [1, 3, 16, 16]), 'input', ACTIVATION);
    const first = quantizedConv(b, x, 'conv1', 16, { ...CONVOLUTION, perChannel: false });
    x = quantizeDequantize(b, b.relu(first), 'conv1_out', ACTIVATION);
    const second = quantizedConv(b, x, 'conv2', 32, { ...CONVOLUTION, perChannel: true });
    x = quantizeDequantize(b, b.relu(second), 'conv2_out', ACTIVATION);
    const pooled = b.flatten(b.globalAveragePool(x));
    b.output('output', integerLinear(b, pooled, 'fc', 10));
    return b.model();
  },
};

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
