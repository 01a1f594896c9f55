import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import { naiveLogits } from '../test-support/naive-decoder';
import { tinyChatModel, type TinyChatModelOptions } from '../test-support/tiny-chat-model';
import { exportForTransformersJs } from './export-folder';
import type { ExportPrecision } from './export-products';

const KV_HEADS = 2;
const HEAD_DIM = 32;
const VOCABULARY = 320;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function writeTiny(options: TinyChatModelOptions): string {
  const file = path.join(folder, `${files++}.gguf`);
  writeFileSync(file, tinyChatModel({ heads: 8, kvHeads: KV_HEADS, ...options }));
  return file;
}

type Feeds = Record<string, stock.Tensor>;

/** Runs tokens after a past as transformers.js does. */
class Runner {
  private past: Feeds;
  private length = 0;

  private constructor(private readonly session: stock.InferenceSession) {
    const names = session.inputNames.filter((name) => name.startsWith('past_key_values.'));
    const empty = (): stock.Tensor =>
      new stock.Tensor('float32', new Float32Array(0), [1, KV_HEADS, 0, HEAD_DIM]);
    this.past = Object.fromEntries(names.map((name) => [name, empty()]));
  }

  static async open(exported: string, file: string): Promise<Runner> {
    return new Runner(await stock.InferenceSession.create(path.join(exported, 'onnx', file)));
  }

  /** @returns logits of the last `kept` tokens, or of all for 0. */
  async run(tokens: readonly number[], kept: number): Promise<Float32Array> {
    this.length += tokens.length;
    const ones = new BigInt64Array(this.length).fill(1n);
    const { logits, ...present } = await this.session.run({
      input_ids: new stock.Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]),
      attention_mask: new stock.Tensor('int64', ones, [1, this.length]),
      num_logits_to_keep: new stock.Tensor('int64', BigInt64Array.of(BigInt(kept)), []),
      ...this.past,
    });
    this.past = {};
    for (const [name, value] of Object.entries(present)) {
      this.past[name.replace('present', 'past_key_values')] = value;
    }
    return logits!.data as Float32Array;
  }
}

const tokens = Array.from({ length: 24 }, (_, index) => (index * 7919 + 13) % VOCABULARY);

function distance(found: Float32Array, expected: readonly number[]): number {
  const span = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, index) => Math.abs(value - found[index]!))) / span;
}

describe('an exported model', () => {
  it.each<[weights: string, precision: ExportPrecision, file: string, tolerance: number]>([
    ['F32', 'fp32', 'model.onnx', 1e-5],
    ['Q4_1', 'fp32', 'model.onnx', 1e-5],
    // Inputs of every product are rounded to 8 bits.
    ['Q8_0', 'q4', 'model_q4.onnx', 0.05],
    ['Q6_K', 'q4', 'model_q4.onnx', 0.05],
    ['Q4_0', 'q4', 'model_q4.onnx', 0.05],
    // Blocks that lose their minimum are rounded anew.
    ['Q5_1', 'q4', 'model_q4.onnx', 0.05],
    ['Q4_1', 'q4', 'model_q4.onnx', 0.5],
  ])('of %s in %s computes the logits of the GGUF file', async (weights, precision, file, tolerance) => {
    const gguf = writeTiny({ weights });
    const exported = `${gguf}-${precision}`;
    await exportForTransformersJs(gguf, exported, precision);
    const expected = naiveLogits(ggufSource(await readGguf(gguf)), tokens);

    const whole = await Runner.open(exported, file);
    expect(distance(await whole.run(tokens, 0), expected)).toBeLessThan(tolerance);

    const stepped = await Runner.open(exported, file);
    expect(await stepped.run(tokens.slice(0, 20), 1)).toHaveLength(VOCABULARY);
    for (const token of tokens.slice(20, -1)) await stepped.run([token], 1);
    const last = await stepped.run(tokens.slice(-1), 1);
    expect(distance(last, expected.slice(-VOCABULARY))).toBeLessThan(tolerance);
  });

  it('stands in a folder with its settings and its tokenizer', async () => {
    const gguf = writeTiny({});
    const exported = `${gguf}-settings`;
    await exportForTransformersJs(gguf, exported, 'q4');
    const read = (file: string): unknown => JSON.parse(readFileSync(path.join(exported, file), 'utf8'));
    expect(read('config.json')).toMatchObject({
      model_type: 'llama',
      num_hidden_layers: 3,
      num_key_value_heads: KV_HEADS,
      head_dim: HEAD_DIM,
      vocab_size: VOCABULARY,
      'transformers.js_config': { dtype: 'q4', use_external_data_format: { 'model_q4.onnx': 1 } },
    });
    expect(read('tokenizer.json')).toMatchObject({ model: { type: 'BPE' } });
    expect(read('tokenizer_config.json')).toMatchObject({ eos_token: '<|im_end|>' });
  });

  it('is refused where its family has other parts', async () => {
    const gguf = writeTiny({ architecture: 'qwen3' });
    await expect(exportForTransformersJs(gguf, `${gguf}-refused`, 'q4')).rejects.toThrow(
      /Only models of the llama family can be exported as one graph; this one is 'qwen3'/,
    );
  });
});
