import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { writeModel } from '../../onnx';
import { writeFileAtomic } from '../../storage';
import { checkWeights } from '../decoder/check-weights';
import type { DecoderConfig } from '../decoder/config';
import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import { TensorReader } from '../source/tensor-reader';
import type { TokenizerSource } from '../tokenizer/tokenizer-source';
import type { ExportPrecision } from './export-products';
import { wholeGraph } from './whole-graph';

/** The file names that transformers.js looks for, by its `dtype`. */
const MODEL_FILES: Readonly<Record<ExportPrecision, string>> = { q4: 'model_q4', fp32: 'model' };

/**
 * Writes a GGUF model as a folder that `@huggingface/transformers` opens: config.json, the tokenizer, and
 * `onnx/model_q4.onnx` or `onnx/model.onnx` with its weights beside it.
 * @throws SluiceError as `readGguf`, `tokenizerFromGguf` and `wholeGraph`; `io`.
 */
export async function exportForTransformersJs(
  ggufFile: string,
  folder: string,
  precision: ExportPrecision,
): Promise<void> {
  const source = ggufSource(await readGguf(ggufFile));
  checkWeights(source);
  const { config } = source;
  const tokenizer = source.tokenizer();
  const reader = new TensorReader(source);
  try {
    await mkdir(join(folder, 'onnx'), { recursive: true });
    const name = MODEL_FILES[precision];
    await writeModel(wholeGraph(reader, config, precision), join(folder, 'onnx', `${name}.onnx`), {
      externalData: { file: `${name}.onnx_data` },
    });
    const files = {
      'tokenizer.json': tokenizer.json,
      'tokenizer_config.json': tokenizerSettings(tokenizer),
      'config.json': modelSettings(config, precision, name),
    };
    for (const [file, content] of Object.entries(files)) {
      await writeFileAtomic(join(folder, file), JSON.stringify(content));
    }
  } finally {
    reader.close();
  }
}

function modelSettings(config: DecoderConfig, precision: ExportPrecision, file: string): object {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: config.width,
    intermediate_size: config.feedForwardWidth,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    vocab_size: config.vocabularySize,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.rmsEpsilon,
    rope_theta: config.rope.theta,
    tie_word_embeddings: config.tiedEmbeddings,
    'transformers.js_config': { dtype: precision, use_external_data_format: { [`${file}.onnx`]: 1 } },
  };
}

function tokenizerSettings({ bosToken, eosToken, chatTemplate }: TokenizerSource): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: bosToken ?? null,
    eos_token: eosToken ?? null,
    chat_template: chatTemplate ?? null,
  };
}
