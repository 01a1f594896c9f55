import { LayerBuilder } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

/** Channels of the 3x3 convolutions of each stage (configuration D); a 2x2 max pool ends every stage. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

/** `input` [1, 3, 224, 224] -> `output` logits [1, 1000]. */
export const VGG_16: ZooNetwork = {
  id: 'vgg-16',
  title: 'VGG-16',
  source:
    'Simonyan and Zisserman, arXiv 1409.1556, configuration D; torchvision vgg16: 138,357,544 parameters',
  parameters: 138_357_544,
  build(seed) {
    const b = new LayerBuilder({ name: 'vgg16', seed });
    let x = b.input('input', [1, 3, 224, 224]);
    let index = 0;
    for (const stage of STAGES) {
      for (const channels of stage) {
        x = b.relu(b.conv(x, `features.${index}`, channels, { kernel: 3, bias: true }));
        index += 2;
      }
      x = b.maxPool(x, { kernel: 2, stride: 2 });
      index += 1;
    }
    x = b.flatten(x);
    x = b.relu(b.linear(x, 'classifier.0', 4096, { gain: 2 }));
    x = b.relu(b.linear(x, 'classifier.3', 4096, { gain: 2 }));
    b.output('output', b.linear(x, 'classifier.6', 1000, { gain: 2 }));
    return b.model();
  },
};
