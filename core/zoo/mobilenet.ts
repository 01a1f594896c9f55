import type { Value } from './graph-builder';
import { LayerBuilder, fixedDim } from './layer-builder';
import type { Padding } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

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

/**
 * `input` [1, 3, 224, 224] -> `predictions` softmax over 1000 classes [1, 1000].
 * The 1000-class head of Keras: 4,231,976 trainable of 4,253,864 with running statistics. (TF-Slim's
 * checkpoint has 1001 classes.) Strided convolutions pad right and bottom only, as TensorFlow's do.
 */
export const MOBILENET_V1: ZooNetwork = {
  id: 'mobilenet-v1',
  title: 'MobileNetV1 1.0-224',
  source:
    'Howard et al., arXiv 1704.04861, table 1; keras.applications.MobileNet: 4,231,976 trainable parameters',
  parameters: 4_231_976,
  build(seed) {
    const b = new LayerBuilder({ name: 'mobilenet_1_00_224', seed });
    const bounds = { low: b.scalar(0), high: b.scalar(6) };
    const finish = (y: Value, name: string) => {
      const normal = b.batchNorm(y, `${name}_bn`, { epsilon: 1e-3 });
      return b.node({ op: 'Clip', inputs: [normal, bounds.low, bounds.high], shape: y.shape });
    };
    let x = b.input('input', [1, 3, 224, 224]);
    x = finish(b.conv(x, 'conv1', 32, { kernel: 3, stride: 2, padding: stridedPadding(2) }), 'conv1');
    BLOCKS.forEach(([channels, stride], index) => {
      const group = fixedDim(x, 1);
      const name = `conv_dw_${index + 1}`;
      const padding = stridedPadding(stride);
      x = finish(b.conv(x, name, group, { kernel: 3, stride, padding, group }), name);
      const pointwise = `conv_pw_${index + 1}`;
      x = finish(b.conv(x, pointwise, channels, { kernel: 1 }), pointwise);
    });
    x = b.conv(b.globalAveragePool(x), 'conv_preds', 1000, { kernel: 1, bias: true, gain: 8 });
    b.output('predictions', b.softmax(b.reshape(x, [1, 1000])));
    return b.model();
  },
};

function stridedPadding(stride: number): Padding {
  return stride === 1 ? 1 : [0, 0, 1, 1];
}
