import type { Value } from './graph-builder';
import { LayerBuilder, fixedDim } from './layer-builder';
import type { Padding } from './layer-builder';
import { DataType } from '../onnx';
import { quantizeDequantize, quantizedConv } from './quantized-layers';
import type { PublishedFigures, ZooNetwork } from './zoo-network';

const FIRST_CHANNELS = 32;
/** Output channels and stride of the 13 depthwise separable blocks. */
const BLOCKS: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

const CLASSES = 1000;
const SLIM_TABLE = 'github.com/tensorflow/models, research/slim/nets/mobilenet_v1.md';

interface Width {
  /** Share of the channels of every layer. */
  readonly width: number;
  readonly suffix: string;
  /** Trainable parameters of keras.applications.MobileNet at this alpha (total less running statistics). */
  readonly parameters: number;
  readonly mMacs: number;
  readonly floatTop5Pct: number;
  readonly int8Top5Pct: number;
}

const WIDTHS: readonly Width[] = [
  {
    width: 1,
    suffix: '',
    parameters: 4_231_976,
    mMacs: 569,
    floatTop5Pct: 89.9,
    int8Top5Pct: 89.5,
  },
  {
    width: 0.75,
    suffix: '-075',
    parameters: 2_585_560,
    mMacs: 317,
    floatTop5Pct: 88.2,
    int8Top5Pct: 88.1,
  },
  {
    width: 0.5,
    suffix: '-050',
    parameters: 1_331_592,
    mMacs: 150,
    floatTop5Pct: 84.9,
    int8Top5Pct: 84.5,
  },
  {
    width: 0.25,
    suffix: '-025',
    parameters: 470_072,
    mMacs: 41,
    floatTop5Pct: 74.2,
    int8Top5Pct: 73.8,
  },
];

/**
 * MobileNetV1 at four widths, fp32. `input` [1, 3, 224, 224] -> `predictions` softmax over 1000 classes [1, 1000].
 * The 1000-class head of Keras, so width 1 has 4,231,976 trainable of 4,253,864 with running statistics. (TF-Slim's
 * checkpoint has 1001 classes.) Strided convolutions pad right and bottom only, as TensorFlow's do.
 */
export const MOBILENETS: readonly ZooNetwork[] = WIDTHS.map((width) => ({
  id: `mobilenet-v1${width.suffix}`,
  title: `MobileNetV1 ${titleWidth(width)}-224`,
  source:
    `Howard et al., arXiv 1704.04861, table 1; keras.applications.MobileNet: ` +
    `${width.parameters.toLocaleString('en-US')} trainable parameters`,
  parameters: width.parameters,
  published: publishedOf(width, width.floatTop5Pct),
  build: (seed) => buildFloat(width, seed),
}));

/**
 * The same networks in QDQ form: int8 weights with a scale for each channel, uint8 activations, batch norms folded
 * into int32 biases. ReLU6 is the saturation of uint8 at scale 6/255. Softmax and pooling stay float32.
 */
export const QUANTIZED_MOBILENETS: readonly ZooNetwork[] = WIDTHS.map((width) => ({
  id: `mobilenet-v1${width.suffix}-int8`,
  title: `MobileNetV1 ${titleWidth(width)}-224 int8`,
  source: 'Howard et al., arXiv 1704.04861, table 1; Jacob et al., arXiv 1712.05877 (folded batch norms)',
  parameters: width.parameters - foldedParameters(width),
  published: publishedOf(width, width.int8Top5Pct),
  build: (seed) => buildQuantized(width, seed),
}));

function titleWidth({ width }: Width): string {
  return width === 1 ? '1.0' : width.toFixed(2);
}

function publishedOf({ mMacs }: Width, top5Pct: number): PublishedFigures {
  return { top5Pct, mMacs, source: SLIM_TABLE };
}

/** Output channels of the first convolution and of each block: a batch norm's gamma and beta become one bias. */
function foldedParameters({ width }: Width): number {
  const blocks = BLOCKS.map(([channels], index) => (BLOCKS[index - 1]?.[0] ?? FIRST_CHANNELS) + channels);
  return width * blocks.reduce((sum, channels) => sum + channels, FIRST_CHANNELS);
}

function buildFloat({ width }: Width, seed: number) {
  const b = new LayerBuilder({ name: `mobilenet_${width.toFixed(2).replace('.', '_')}_224`, seed });
  const bounds = { low: b.scalar(0), high: b.scalar(6) };
  const finish = (y: Value, name: string) => {
    const normal = b.batchNorm(y, `${name}_bn`, { epsilon: 1e-3 });
    return b.node({ op: 'Clip', inputs: [normal, bounds.low, bounds.high], shape: y.shape });
  };
  let x = b.input('input', [1, 3, 224, 224]);
  const first = b.conv(x, 'conv1', FIRST_CHANNELS * width, {
    kernel: 3,
    stride: 2,
    padding: stridedPadding(2),
  });
  x = finish(first, 'conv1');
  BLOCKS.forEach(([channels, stride], index) => {
    const group = fixedDim(x, 1);
    const name = `conv_dw_${index + 1}`;
    const padding = stridedPadding(stride);
    x = finish(b.conv(x, name, group, { kernel: 3, stride, padding, group }), name);
    const pointwise = `conv_pw_${index + 1}`;
    x = finish(b.conv(x, pointwise, channels * width, { kernel: 1 }), pointwise);
  });
  x = b.conv(b.globalAveragePool(x), 'conv_preds', CLASSES, { kernel: 1, bias: true, gain: 8 });
  b.output('predictions', b.softmax(b.reshape(x, [1, CLASSES])));
  return b.model();
}

/** Pixels scaled to about [-3.2, 3.2]; outputs of ReLU6. */
const PIXELS = { scale: 0.025, zeroPoint: 128, dtype: DataType.uint8 } as const;
const RELU6 = { scale: 6 / 255, zeroPoint: 0, dtype: DataType.uint8 } as const;
/** Channel scales spread from 1x to 2x, 2.3 in mean square; with this gain activations keep their scale. */
const QUANTIZED_LAYER = { perChannel: true, reducedRange: true, biasStd: 0.1, gain: 0.9 } as const;

function buildQuantized({ width }: Width, seed: number) {
  const b = new LayerBuilder({ name: `mobilenet_${width.toFixed(2).replace('.', '_')}_224_int8`, seed });
  let x = quantizeDequantize(b, b.input('input', [1, 3, 224, 224]), 'input', PIXELS);
  const layer = (name: string, channels: number, kernel: number, stride: number, group: number) => {
    const inputScale = name === 'conv1' ? PIXELS.scale : RELU6.scale;
    const padding = kernel === 1 ? 0 : stridedPadding(stride);
    const y = quantizedConv(b, x, name, channels, {
      ...QUANTIZED_LAYER,
      inputScale,
      kernel,
      stride,
      padding,
      group,
    });
    x = quantizeDequantize(b, y, `${name}_out`, RELU6);
  };
  layer('conv1', FIRST_CHANNELS * width, 3, 2, 1);
  BLOCKS.forEach(([channels, stride], index) => {
    const group = fixedDim(x, 1);
    layer(`conv_dw_${index + 1}`, group, 3, stride, group);
    layer(`conv_pw_${index + 1}`, channels * width, 1, 1, 1);
  });
  const pooled = quantizeDequantize(b, b.globalAveragePool(x), 'pooled', RELU6);
  const head = { ...QUANTIZED_LAYER, inputScale: RELU6.scale, kernel: 1, stride: 1, padding: 0, gain: 4 };
  x = quantizedConv(b, pooled, 'conv_preds', CLASSES, head);
  b.output('predictions', b.softmax(b.reshape(x, [1, CLASSES])));
  return b.model();
}

function stridedPadding(stride: number): Padding {
  return stride === 1 ? 1 : [0, 0, 1, 1];
}
