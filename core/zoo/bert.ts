import { DataType } from '../onnx';
import { intAttribute } from './attributes';
import type { Value } from './graph-builder';
import { LayerBuilder } from './layer-builder';
import { geluMlp, mergeHeads, splitHeads } from './transformer';
import type { ZooNetwork } from './zoo-network';

const VOCABULARY = 30_522;
const POSITIONS = 512;
const WIDTH = 768;
const HEADS = 12;
const BLOCKS = 12;
const TOKENS = 384;
const EPSILON = 1e-12;

/**
 * int64 `input_ids` (0..30521), `attention_mask` and `token_type_ids` (0 or 1), each [1, 384]
 * -> `last_hidden_state` [1, 384, 768] and `pooler_output` [1, 768].
 */
export const BERT_BASE: ZooNetwork = {
  id: 'bert-base',
  title: 'BERT-base uncased, 384 tokens',
  source:
    'Devlin et al., arXiv 1810.04805; Hugging Face BertModel bert-base-uncased: 109,482,240 with its pooler',
  parameters: 109_482_240,
  build(seed) {
    const b = new LayerBuilder({ name: 'bert_base_uncased', seed });
    const ids = b.input('input_ids', [1, TOKENS], DataType.int64);
    const mask = additiveMask(b, b.input('attention_mask', [1, TOKENS], DataType.int64));
    const segments = b.input('token_type_ids', [1, TOKENS], DataType.int64);
    let x = embeddings(b, ids, segments);
    for (let block = 0; block < BLOCKS; block += 1) x = encoderLayer(b, x, mask, `encoder.layer.${block}`);
    const pooled = b.linear(b.gatherOne(x, 0, 1), 'pooler.dense', WIDTH);
    b.output('last_hidden_state', x);
    b.output('pooler_output', b.unary('Tanh', pooled));
    return b.model();
  },
};

/** 0 where the mask is 1 and -10000 where it is 0, [1, 1, 1, tokens]. */
function additiveMask(b: LayerBuilder, mask: Value): Value {
  const rows = b.node({ op: 'Unsqueeze', inputs: [mask, b.int64([1])], shape: [1, 1, TOKENS] });
  const wide = b.node({ op: 'Unsqueeze', inputs: [rows, b.int64([2])], shape: [1, 1, 1, TOKENS] });
  const attributes = [intAttribute('to', DataType.float32)];
  const kept = b.node({ op: 'Cast', inputs: [wide], shape: wide.shape, dtype: DataType.float32, attributes });
  const hidden = b.node({ op: 'Sub', inputs: [b.scalar(1), kept], shape: kept.shape });
  return b.binary('Mul', hidden, b.scalar(-10_000));
}

function embeddings(b: LayerBuilder, ids: Value, segments: Value): Value {
  const table = (name: string, rows: number, std: number) =>
    b.weight(`embeddings.${name}.weight`, [rows, WIDTH], { mean: 0, std });
  const words = b.embedding(table('word_embeddings', VOCABULARY, 1), ids, 'embeddings.word_embeddings');
  const types = b.embedding(
    table('token_type_embeddings', 2, 0.3),
    segments,
    'embeddings.token_type_embeddings',
  );
  const order = Array.from({ length: TOKENS }, (_, index) => index);
  const positionIds = b.buffer('embeddings.position_ids', order, [1, TOKENS], DataType.int64);
  const positionTable = table('position_embeddings', POSITIONS, 0.5);
  const positions = b.embedding(positionTable, positionIds, 'embeddings.position_embeddings');
  return b.layerNorm(b.add(b.add(words, types), positions), 'embeddings.LayerNorm', EPSILON);
}

function encoderLayer(b: LayerBuilder, x: Value, mask: Value, name: string): Value {
  const self = `${name}.attention.self`;
  const query = splitHeads(b, b.linear(x, `${self}.query`, WIDTH, { gain: 2 }), HEADS);
  const key = splitHeads(b, b.linear(x, `${self}.key`, WIDTH, { gain: 2 }), HEADS, true);
  const value = splitHeads(b, b.linear(x, `${self}.value`, WIDTH), HEADS);
  const scores = b.binary('Div', b.matmul(query, key), b.scalar(Math.sqrt(WIDTH / HEADS)));
  const context = b.matmul(b.softmax(b.add(scores, mask)), value);
  const attended = b.linear(mergeHeads(b, context), `${name}.attention.output.dense`, WIDTH);
  const y = b.layerNorm(b.add(attended, x), `${name}.attention.output.LayerNorm`, EPSILON);
  const mlp = geluMlp(b, y, [`${name}.intermediate.dense`, `${name}.output.dense`], 4 * WIDTH);
  return b.layerNorm(b.add(mlp, y), `${name}.output.LayerNorm`, EPSILON);
}
