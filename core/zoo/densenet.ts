import type { Value } from './graph-builder';
import { LayerBuilder, fixedDim } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

/** Dense layers per block. */
const BLOCKS = [6, 12, 48, 32];
const GROWTH = 32;

/** `input` [1, 3, 224, 224] -> `output` logits [1, 1000]. */
export const DENSENET_201: ZooNetwork = {
  id: 'densenet-201',
  title: 'DenseNet-201',
  source: 'Huang et al., arXiv 1608.06993, table 1; torchvision densenet201: 20,013,928 parameters',
  parameters: 20_013_928,
  build(seed) {
    const b = new LayerBuilder({ name: 'densenet201', seed });
    const image = b.input('input', [1, 3, 224, 224]);
    const stem = b.conv(image, 'features.conv0', 64, { kernel: 7, stride: 2 });
    let x = b.relu(b.batchNorm(stem, 'features.norm0'));
    x = b.maxPool(x, { kernel: 3, stride: 2, padding: 1 });
    BLOCKS.forEach((layers, index) => {
      x = denseBlock(b, x, `features.denseblock${index + 1}`, layers);
      if (index < BLOCKS.length - 1) x = transition(b, x, `features.transition${index + 1}`);
    });
    x = b.globalAveragePool(b.relu(b.batchNorm(x, 'features.norm5')));
    b.output('output', b.linear(b.flatten(x), 'classifier', 1000, { gain: 4 }));
    return b.model();
  },
};

/** Every layer sees all outputs before it: 1x1 to four times the growth, then 3x3 to the growth. */
function denseBlock(b: LayerBuilder, input: Value, name: string, layers: number): Value {
  const features = [input];
  for (let layer = 1; layer <= layers; layer += 1) {
    const path = `${name}.denselayer${layer}`;
    const all = b.concat(features, 1);
    let y = b.relu(b.batchNorm(all, `${path}.norm1`));
    y = b.conv(y, `${path}.conv1`, 4 * GROWTH, { kernel: 1 });
    y = b.relu(b.batchNorm(y, `${path}.norm2`));
    features.push(b.conv(y, `${path}.conv2`, GROWTH, { kernel: 3 }));
  }
  return b.concat(features, 1);
}

function transition(b: LayerBuilder, x: Value, name: string): Value {
  const y = b.relu(b.batchNorm(x, `${name}.norm`));
  return b.averagePool(b.conv(y, `${name}.conv`, fixedDim(x, 1) / 2, { kernel: 1 }), {
    kernel: 2,
    stride: 2,
  });
}
