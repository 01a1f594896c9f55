import { DataType } from '../onnx';
import { intAttribute, intsAttribute } from './attributes';
import { LayerBuilder } from './layer-builder';
import { geluMlp, mergeHeads, splitHeads } from './transformer';
import type { ZooNetwork } from './zoo-network';

const SOURCE = 'made for tests';

/** `input` [1, 3, 32, 32] -> `output` [1, 10]: a residual addition and a concatenation. */
export const TINY_CNN: ZooNetwork = {
  id: 'tiny-cnn',
  title: 'Tiny convolutional network',
  source: SOURCE,
  parameters: 31_290,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_cnn', seed });
    const image = b.input('input', [1, 3, 32, 32]);
    const stem = b.relu(b.batchNorm(b.conv(image, 'stem', 16, { kernel: 3, stride: 2 }), 'stem_bn'));
    const branch = b.relu(b.conv(stem, 'block.conv1', 16, { kernel: 3, bias: true }));
    const sum = b.relu(b.add(b.conv(branch, 'block.conv2', 16, { kernel: 3, bias: true }), stem));
    const narrow = b.relu(b.conv(sum, 'narrow', 16, { kernel: 1, bias: true }));
    const wide = b.relu(b.conv(sum, 'wide', 32, { kernel: 3, bias: true }));
    const pooled = b.maxPool(b.concat([narrow, wide], 1), { kernel: 2, stride: 2 });
    const last = b.relu(b.conv(pooled, 'last', 48, { kernel: 3, bias: true }));
    b.output('output', b.linear(b.flatten(b.globalAveragePool(last)), 'fc', 10));
    return b.model();
  },
};

/** `input` [1, 64] -> `output` [1, 10], softmax. */
export const TINY_MLP: ZooNetwork = {
  id: 'tiny-mlp',
  title: 'Tiny perceptron',
  source: SOURCE,
  parameters: 26_122,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_mlp', seed });
    const x = b.relu(b.linear(b.input('input', [1, 64]), 'fc1', 128, { gain: 2 }));
    const y = b.relu(b.linear(x, 'fc2', 128, { gain: 2 }));
    b.output('output', b.softmax(b.linear(y, 'fc3', 10, { gain: 4 })));
    return b.model();
  },
};

/** int64 `input_ids` (0..99) [1, 16] -> `output` logits over the 100 tokens [1, 16, 100]. */
export const TINY_TRANSFORMER: ZooNetwork = {
  id: 'tiny-transformer',
  title: 'Tiny transformer',
  source: SOURCE,
  parameters: 31_972,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_transformer', seed });
    const ids = b.input('input_ids', [1, 16], DataType.int64);
    const table = b.weight('embed.weight', [100, 32], { mean: 0, std: 1 });
    let x = b.embedding(table, ids, 'embed');
    for (let block = 0; block < 2; block += 1) {
      const name = `blocks.${block}`;
      const normal = b.layerNorm(x, `${name}.norm1`, 1e-5);
      const query = splitHeads(b, b.linear(normal, `${name}.query`, 32), 4);
      const key = splitHeads(b, b.linear(normal, `${name}.key`, 32), 4, true);
      const value = splitHeads(b, b.linear(normal, `${name}.value`, 32), 4);
      const scores = b.softmax(b.binary('Div', b.matmul(query, key), b.scalar(Math.sqrt(8))));
      x = b.add(x, b.linear(mergeHeads(b, b.matmul(scores, value)), `${name}.proj`, 32));
      const mlp = geluMlp(b, b.layerNorm(x, `${name}.norm2`, 1e-5), [`${name}.fc1`, `${name}.fc2`], 128);
      x = b.add(x, mlp);
    }
    b.output('output', b.linear(b.layerNorm(x, 'norm', 1e-5), 'head', 100));
    return b.model();
  },
};

/** `input` [1, 32] -> `output` [1, 32]: both products read the one weight `shared.weight`. */
export const TINY_SHARED: ZooNetwork = {
  id: 'tiny-shared',
  title: 'Tiny network with a shared weight',
  source: SOURCE,
  parameters: 1_024,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_shared', seed });
    const weight = b.weight('shared.weight', [32, 32], { mean: 0, std: Math.sqrt(2 / 32) });
    const x = b.relu(b.matmul(b.input('input', [1, 32]), weight));
    b.output('output', b.matmul(x, weight));
    return b.model();
  },
};

/** `a` and `b` [1, 64] -> `output` softmax of their rectified sum: nothing to stream. */
export const TINY_WEIGHTLESS: ZooNetwork = {
  id: 'tiny-weightless',
  title: 'Tiny network without weights',
  source: SOURCE,
  parameters: 0,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_weightless', seed });
    b.output('output', b.softmax(b.relu(b.add(b.input('a', [1, 64]), b.input('b', [1, 64])))));
    return b.model();
  },
};

/**
 * `input` [batch, 3, height, width] -> `output` [batch, 10], any batch and any image of at least 2 x 2.
 * The flattening reads the batch from the tensor, as exporters write it.
 */
export const TINY_DYNAMIC: ZooNetwork = {
  id: 'tiny-dynamic',
  title: 'Tiny network with dynamic batch and image size',
  source: SOURCE,
  parameters: 5_418,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_dynamic', seed });
    const image = b.input('input', ['batch', 3, 'height', 'width']);
    const x = b.relu(b.conv(image, 'conv1', 16, { kernel: 3, stride: 2, bias: true }));
    const y = b.relu(b.conv(x, 'conv2', 32, { kernel: 3, bias: true }));
    const pooled = b.globalAveragePool(y);
    const shape = b.node({ op: 'Shape', inputs: [pooled], shape: [4], dtype: DataType.int64 });
    const batch = b.gatherOne(shape, 0, 0);
    const first = b.node({ op: 'Unsqueeze', inputs: [batch, b.int64([0])], shape: [1] });
    const target = b.concat([first, b.int64([32])], 0);
    const attributes = [intAttribute('allowzero', 0)];
    const flat = b.node({ op: 'Reshape', inputs: [pooled, target], shape: ['batch', 32], attributes });
    b.output('output', b.linear(flat, 'fc', 10));
    return b.model();
  },
};

/** `input` [1, 3, 16, 16] -> `output` [1, 10], float32 outside; weights and arithmetic in float16. */
export const TINY_FP16: ZooNetwork = {
  id: 'tiny-fp16',
  title: 'Tiny float16 network',
  source: SOURCE,
  parameters: 5_418,
  build(seed) {
    const b = new LayerBuilder({ name: 'tiny_fp16', seed, dtype: DataType.float16 });
    const cast = (value: ReturnType<typeof b.input>, dtype: DataType) =>
      b.node({
        op: 'Cast',
        inputs: [value],
        shape: value.shape,
        dtype,
        attributes: [intAttribute('to', dtype)],
      });
    const image = cast(b.input('input', [1, 3, 16, 16], DataType.float32), DataType.float16);
    const x = b.relu(b.conv(image, 'conv1', 16, { kernel: 3, stride: 2, bias: true }));
    const y = b.relu(b.conv(x, 'conv2', 32, { kernel: 3, bias: true }));
    const axes = [intsAttribute('axes', [2, 3]), intAttribute('keepdims', 0)];
    const mean = b.node({ op: 'ReduceMean', inputs: [y], shape: [1, 32], attributes: axes });
    b.output('output', cast(b.linear(mean, 'fc', 10), DataType.float32));
    return b.model();
  },
};
