import { intAttribute } from './attributes';
import type { Value } from './graph-builder';
import { LayerBuilder } from './layer-builder';
import { geluMlp, mergeHeads } from './transformer';
import type { ZooNetwork } from './zoo-network';

const WIDTH = 768;
const HEADS = 12;
const HEAD_DIM = WIDTH / HEADS;
const BLOCKS = 12;
const PATCH = 16;
/** 14 x 14 patches and the class token. */
const TOKENS = 197;
const EPSILON = 1e-6;

/** `input` [1, 3, 224, 224] -> `output` logits [1, 1000]. Query, key and value come from one product. */
export const VIT_B_16: ZooNetwork = {
  id: 'vit-b-16',
  title: 'ViT-B/16 224',
  source: 'Dosovitskiy et al., arXiv 2010.11929, table 1; torchvision vit_b_16: 86,567,656 parameters',
  parameters: 86_567_656,
  build(seed) {
    const b = new LayerBuilder({ name: 'vit_b_16', seed });
    let x = embedPatches(b, b.input('input', [1, 3, 224, 224]));
    for (let block = 0; block < BLOCKS; block += 1) {
      const name = `blocks.${block}`;
      x = b.add(x, attention(b, b.layerNorm(x, `${name}.norm1`, EPSILON), `${name}.attn`));
      const normal = b.layerNorm(x, `${name}.norm2`, EPSILON);
      x = b.add(x, geluMlp(b, normal, [`${name}.mlp.fc1`, `${name}.mlp.fc2`], 4 * WIDTH));
    }
    const classToken = b.gatherOne(b.layerNorm(x, 'norm', EPSILON), 0, 1);
    b.output('output', b.linear(classToken, 'head', 1000, { gain: 4 }));
    return b.model();
  },
};

function embedPatches(b: LayerBuilder, image: Value): Value {
  const conv = { kernel: PATCH, stride: PATCH, padding: 0, bias: true, gain: 1 };
  const patches = b.conv(image, 'patch_embed.proj', WIDTH, conv);
  const sequence = b.transpose(b.reshape(patches, [1, WIDTH, TOKENS - 1]), [0, 2, 1]);
  const classToken = b.weight('cls_token', [1, 1, WIDTH], { mean: 0, std: 1 });
  const positions = b.weight('pos_embed', [1, TOKENS, WIDTH], { mean: 0, std: 0.5 });
  return b.add(b.concat([classToken, sequence], 1), positions);
}

function attention(b: LayerBuilder, x: Value, name: string): Value {
  const qkv = b.linear(x, `${name}.qkv`, 3 * WIDTH, { gain: 2 });
  const stacked = b.transpose(b.reshape(qkv, [1, TOKENS, 3, HEADS, HEAD_DIM]), [2, 0, 3, 1, 4]);
  const shape = [1, 1, HEADS, TOKENS, HEAD_DIM];
  const attributes = [intAttribute('axis', 0)];
  const split = { op: 'Split', inputs: [stacked, b.int64([1, 1, 1])], attributes };
  const parts = b.nodeWithOutputs(split, [shape, shape, shape]);
  const squeeze = (index: number) =>
    b.node({ op: 'Squeeze', inputs: [parts[index], b.int64([0])], shape: shape.slice(1) });
  const query = squeeze(0);
  const key = squeeze(1);
  const value = squeeze(2);
  const scaled = b.binary('Mul', query, b.scalar(HEAD_DIM ** -0.5));
  const scores = b.softmax(b.matmul(scaled, b.transpose(key, [0, 1, 3, 2])));
  return b.linear(mergeHeads(b, b.matmul(scores, value)), `${name}.proj`, WIDTH);
}
