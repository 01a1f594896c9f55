import type { Value } from './graph-builder';
import { LayerBuilder, fixedDim } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

/** Bottleneck blocks per stage. */
const BLOCKS = [3, 8, 36, 3];

/** `input` [1, 3, 224, 224] -> `output` logits [1, 1000]. The stride is in the 3x3 convolution (v1.5). */
export const RESNET_152: ZooNetwork = {
  id: 'resnet-152',
  title: 'ResNet-152',
  source: 'He et al., arXiv 1512.03385, table 1; torchvision resnet152: 60,192,808 parameters',
  parameters: 60_192_808,
  build(seed) {
    const b = new LayerBuilder({ name: 'resnet152', seed });
    const image = b.input('input', [1, 3, 224, 224]);
    const stem = b.conv(image, 'conv1', 64, { kernel: 7, stride: 2 });
    let x = b.maxPool(b.relu(b.batchNorm(stem, 'bn1')), { kernel: 3, stride: 2, padding: 1 });
    BLOCKS.forEach((blocks, stage) => {
      for (let block = 0; block < blocks; block += 1) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x = bottleneck(b, x, `layer${stage + 1}.${block}`, 64 * 2 ** stage, stride);
      }
    });
    b.output('output', b.linear(b.flatten(b.globalAveragePool(x)), 'fc', 1000, { gain: 4 }));
    return b.model();
  },
};

function bottleneck(b: LayerBuilder, x: Value, name: string, width: number, stride: number): Value {
  const outChannels = width * 4;
  let y = b.relu(b.batchNorm(b.conv(x, `${name}.conv1`, width, { kernel: 1 }), `${name}.bn1`));
  y = b.relu(b.batchNorm(b.conv(y, `${name}.conv2`, width, { kernel: 3, stride }), `${name}.bn2`));
  y = b.batchNorm(b.conv(y, `${name}.conv3`, outChannels, { kernel: 1 }), `${name}.bn3`, { gamma: 0.2 });
  if (fixedDim(x, 1) === outChannels) return b.relu(b.add(y, x));
  const projected = b.conv(x, `${name}.downsample.0`, outChannels, { kernel: 1, stride, gain: 1 });
  return b.relu(b.add(y, b.batchNorm(projected, `${name}.downsample.1`)));
}
