import { SluiceError } from '../../contract';
import { encodeModel, type OnnxModel } from '../../onnx';
import { BoundRun, OrtSession, RunOptions, type OrtEnvironment, type OrtTensor } from '../../ort';
import type { ModelSource } from '../source/model-source';
import { TensorReader } from '../source/tensor-reader';
import { Attention, type AttentionPass } from './attention';
import { checkWeights } from './check-weights';
import type { DecoderConfig } from './config';
import { KvCache, type AttentionCache } from './kv-cache';
import {
  betweenGraph,
  firstGraph,
  headGraph,
  lastGraph,
  NAMES,
  type LayerGraphOptions,
} from './layer-graphs';
import { attentionWeights, EMBEDDING, feedForwardWeights, headWeights, ropeFactors } from './layer-weights';
import { PassBuffers } from './pass-buffers';
import type { WeightPrecision } from './projections';
import { Rope } from './rope';

export interface DecoderOptions {
  /** Default `packed`. */
  readonly precision?: WeightPrecision;
  /** Tokens a pass may have; memory for activations grows with it. Default 64. */
  readonly maxTokens?: number;
  /** Rows of logits a pass may give. Default 64. */
  readonly maxLogitRows?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_TOKENS = 64;
const DEFAULT_PRECISION: WeightPrecision = 'packed';
const DEFAULT_MAX_LOGIT_ROWS = 64;

/**
 * A language model ready to run. A token's logits have the same bits whichever tokens share its pass, whatever the
 * pass's length, as long as the cache holds the same bits.
 */
export class Decoder {
  readonly maxTokens: number;
  readonly maxLogitRows: number;
  readonly precision: WeightPrecision;
  private readonly buffers: PassBuffers;
  /** Over rows in memory, for caches. */
  readonly attention: Attention;
  private readonly runs = new Map<number, readonly BoundRun[]>();
  private readonly headRuns = new Map<number, BoundRun>();
  private readonly runOptions: RunOptions;

  private constructor(
    readonly config: DecoderConfig,
    private readonly environment: OrtEnvironment,
    private readonly reader: TensorReader,
    /** first, between..., last, head. */
    private readonly sessions: readonly OrtSession[],
    private readonly rope: Rope,
    options: DecoderOptions,
  ) {
    this.maxTokens = options.maxTokens ?? DEFAULT_MAX_TOKENS;
    this.precision = options.precision ?? DEFAULT_PRECISION;
    this.maxLogitRows = Math.min(this.maxTokens, options.maxLogitRows ?? DEFAULT_MAX_LOGIT_ROWS);
    this.buffers = new PassBuffers(environment, config, this.maxTokens, this.maxLogitRows);
    this.attention = new Attention(environment, config);
    this.runOptions = RunOptions.create(environment);
  }

  /**
   * Builds the graphs of a model and loads its weights, layer by layer.
   * @param environment must outlive the decoder.
   * @throws SluiceError `unsupported` (quantisation), `bad-model`, `io`, `runtime`, `cancelled`.
   */
  static async open(
    source: ModelSource,
    environment: OrtEnvironment,
    options: DecoderOptions = {},
  ): Promise<Decoder> {
    const { config } = source;
    checkWeights(source);
    const reader = new TensorReader(source);
    const sessions: OrtSession[] = [];
    try {
      const rope = new Rope(config.rope, ropeFactors(reader, config));
      for (const model of graphs(reader, { config, precision: options.precision ?? DEFAULT_PRECISION })) {
        await new Promise((resolve) => setImmediate(resolve));
        if (options.signal?.aborted)
          throw new SluiceError('cancelled', `Loading ${source.path} was cancelled.`);
        sessions.push(OrtSession.create(environment, encodeModel(model), { optimization: 'all' }));
      }
      return new Decoder(config, environment, reader, sessions, rope, options);
    } catch (error) {
      for (const session of sessions) session.release();
      reader.close();
      throw error;
    }
  }

  /** A cache for so many tokens, owned by the caller; its use ends with the decoder. */
  createCache(capacity: number): KvCache {
    return new KvCache(this.environment, this.attention, this.config.layers, capacity);
  }

  /**
   * Runs tokens that follow those in the cache, and adds them to it. More than `maxTokens` go through the layers one
   * layer after the other, part by part, so that each layer's weights and cache are gone through once.
   * @param logitRows logits are wanted of so many of the last tokens, 0 to `maxLogitRows`.
   * @returns `[logitRows, vocabularySize]`, valid until the next pass.
   * @throws SluiceError `bad-input` for a token outside the vocabulary, `cancelled`, `runtime`, what the cache throws;
   * the cache then holds what it held before.
   */
  async forward(
    tokens: readonly number[],
    cache: AttentionCache,
    logitRows: number,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.checkPass(tokens, logitRows);
    const x =
      tokens.length <= this.maxTokens
        ? await this.shortPass(tokens, cache)
        : await this.longPass(tokens, cache, signal);
    cache.advance(tokens.length);
    return this.logits(x, logitRows);
  }

  /** @returns the last hidden state, `[tokens, width]`, valid until the next pass. */
  private async shortPass(tokens: readonly number[], cache: AttentionCache): Promise<Float32Array> {
    const count = tokens.length;
    this.embed(tokens, this.buffers.x[0].array(count));
    this.fillAngles(cache.position, count);
    const { layers } = this.config;
    const { keys, values } = this.buffers;
    for (const [step, run] of this.runsFor(count).entries()) {
      if (step > 0) {
        const waiting = cache.attend(step - 1, this.attentionPass(count, 0));
        if (waiting) await waiting;
      }
      run.run(this.runOptions);
      if (step < layers) cache.store(step, 0, keys.array(count), values.array(count));
    }
    return this.buffers.x[sides(layers)[1]].array(count);
  }

  private async longPass(
    tokens: readonly number[],
    cache: AttentionCache,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const { width, heads, headDim, layers } = this.config;
    const { keys, values } = this.buffers;
    const x = new Float32Array(tokens.length * width);
    const queries = new Float32Array(tokens.length * heads * headDim);
    this.embed(tokens, x);
    for (let step = 0; step <= layers; step += 1) {
      const [from, to] = sides(step);
      for (let offset = 0; offset < tokens.length; offset += this.maxTokens) {
        await nextTurn(signal);
        const count = Math.min(this.maxTokens, tokens.length - offset);
        const part = (of: Float32Array, size: number): Float32Array =>
          of.subarray(offset * size, (offset + count) * size);
        this.buffers.x[from].array(count).set(part(x, width));
        this.fillAngles(cache.position + offset, count);
        if (step > 0) {
          this.buffers.queries.array(count).set(part(queries, heads * headDim));
          const waiting = cache.attend(step - 1, this.attentionPass(count, offset));
          if (waiting) await waiting;
        }
        this.runsFor(count)[step]!.run(this.runOptions);
        if (step > 0) part(x, width).set(this.buffers.x[to].array(count));
        if (step === layers) continue;
        part(queries, heads * headDim).set(this.buffers.queries.array(count));
        cache.store(step, offset, keys.array(count), values.array(count));
      }
    }
    return x;
  }

  private attentionPass(tokens: number, offset: number): AttentionPass {
    const { queries, attended } = this.buffers;
    return { tokens, offset, queries: queries.tensor(tokens), attended: attended.tensor(tokens) };
  }

  private fillAngles(position: number, count: number): void {
    const { cosines, sines } = this.buffers;
    this.rope.fill(position, cosines.array(count), sines.array(count));
  }

  /** Frees the sessions; caches are their owners' to release. */
  close(): void {
    this.buffers.release();
    this.attention.release();
    this.runOptions.release();
    for (const session of this.sessions) session.release();
    this.reader.close();
  }

  private checkPass(tokens: readonly number[], logitRows: number): void {
    const { vocabularySize } = this.config;
    if (tokens.length < 1 || logitRows > Math.min(tokens.length, this.maxLogitRows)) {
      throw new SluiceError('internal', `A pass of ${tokens.length} tokens can't give ${logitRows} logits.`);
    }
    const stray = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize);
    if (stray === undefined) return;
    throw new SluiceError('bad-input', `Expected tokens of 0 to ${vocabularySize - 1}, found ${stray}.`);
  }

  private embed(tokens: readonly number[], x: Float32Array): void {
    const { width } = this.config;
    for (const [index, token] of tokens.entries()) {
      this.reader.row(EMBEDDING, token, x.subarray(index * width, (index + 1) * width));
    }
  }

  /** The chain of runs for passes of so many tokens: x and queries change places from step to step. */
  private runsFor(count: number): readonly BoundRun[] {
    const known = this.runs.get(count);
    if (known) return known;
    const { x, queries, keys, values, attended, cosines, sines } = this.buffers;
    const { layers } = this.config;
    const runs = this.sessions.slice(0, layers + 1).map((session, step) => {
      const [from, to] = sides(step);
      const bySpec = new Map<string, OrtTensor>([
        [NAMES.x, x[from].tensor(count)],
        [NAMES.nextX, x[to].tensor(count)],
        [NAMES.queries, queries.tensor(count)],
        [NAMES.attended, attended.tensor(count)],
        [NAMES.keys, keys.tensor(count)],
        [NAMES.values, values.tensor(count)],
        [NAMES.cosines, cosines.tensor(count)],
        [NAMES.sines, sines.tensor(count)],
      ]);
      return bindStep(session, bySpec);
    });
    this.runs.set(count, runs);
    return runs;
  }

  private logits(x: Float32Array, logitRows: number): Float32Array {
    const { logits } = this.buffers;
    if (logitRows === 0) return logits.array(0);
    // The last step read this one.
    const scratch = this.buffers.x[sides(this.config.layers)[0]];
    scratch.array(logitRows).set(x.subarray(x.length - logitRows * this.config.width));
    this.headRun(logitRows, scratch.tensor(logitRows)).run(this.runOptions);
    return logits.array(logitRows);
  }

  private headRun(logitRows: number, x: OrtTensor): BoundRun {
    const known = this.headRuns.get(logitRows);
    if (known) return known;
    const logits = this.buffers.logits.tensor(logitRows);
    const run = new BoundRun(
      this.sessions.at(-1)!,
      new Map([[NAMES.x, x]]),
      new Map([[NAMES.logits, logits]]),
    );
    this.headRuns.set(logitRows, run);
    return run;
  }
}

/** Which of the two buffers of x a step reads, and which it writes; the first step only reads. */
function sides(step: number): readonly [from: 0 | 1, to: 0 | 1] {
  return step === 0 || step % 2 === 1 ? [0, 1] : [1, 0];
}

/** Lets the process do other work: passes run on the calling thread. */
async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted) throw new SluiceError('cancelled', 'The pass was cancelled.');
}

function bindStep(session: OrtSession, tensors: ReadonlyMap<string, OrtTensor>): BoundRun {
  const bind = (names: readonly { readonly name: string }[]): Map<string, OrtTensor> =>
    new Map(names.map(({ name }) => [name, tensors.get(name)!]));
  return new BoundRun(session, bind(session.inputs), bind(session.outputs));
}

function* graphs(reader: TensorReader, options: LayerGraphOptions): Generator<OnnxModel> {
  const { config } = options;
  yield firstGraph(attentionWeights(reader, config, 0), options);
  for (let layer = 0; layer + 1 < config.layers; layer += 1) {
    yield betweenGraph(
      feedForwardWeights(reader, config, layer),
      attentionWeights(reader, config, layer + 1),
      options,
    );
  }
  yield lastGraph(feedForwardWeights(reader, config, config.layers - 1), options);
  yield headGraph(headWeights(reader, config), options);
}
