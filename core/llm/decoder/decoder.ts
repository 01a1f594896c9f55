import { SluiceError } from '../../contract';
import { BoundRun, RunOptions, type OrtEnvironment, type OrtSession, type OrtTensor } from '../../ort';
import { openSteps } from '../streaming/open-steps';
import type { ModelSource } from '../source/model-source';
import { TensorReader } from '../source/tensor-reader';
import { Attention, type AttentionPass } from './attention';
import { checkWeights } from './check-weights';
import type { DecoderConfig } from './config';
import { KvCache, type AttentionCache } from './kv-cache';
import { NAMES } from './layer-graphs';
import { EMBEDDING, ropeFactors } from './layer-weights';
import { HeadRuns } from './head-runs';
import { PassBuffers } from './pass-buffers';
import type { WeightPrecision } from './projections';
import { ResidentSteps } from './resident-steps';
import { Rope } from './rope';
import { layerSteps } from './step-graphs';
import type { WeightMemory, WeightSteps, WeightTraffic } from './weight-steps';

export interface DecoderOptions {
  /** Default `packed`. */
  readonly precision?: WeightPrecision;
  /** Tokens a pass may have; memory for activations grows with it. Default 64. */
  readonly maxTokens?: number;
  /** Rows of logits a pass may give. Default 64. */
  readonly maxLogitRows?: number;
  /** Memory for weights; what does not fit is read from disk for every pass. Default: all are loaded. */
  readonly weights?: WeightBudget;
  readonly signal?: AbortSignal;
}

export interface WeightBudget {
  readonly budgetBytes: number;
  /**
   * A folder for what is read in every pass, about as large as the weights. Made when it is needed and not there, and
   * anew when it is stale; its parent too.
   */
  readonly storeFolder: string;
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
  private readonly runs = new Map<number, BoundRun[]>();
  private readonly head: HeadRuns;
  private readonly runOptions: RunOptions;

  private constructor(
    readonly config: DecoderConfig,
    private readonly environment: OrtEnvironment,
    private readonly reader: TensorReader,
    private readonly steps: WeightSteps,
    private readonly rope: Rope,
    options: DecoderOptions,
  ) {
    this.maxTokens = options.maxTokens ?? DEFAULT_MAX_TOKENS;
    this.precision = options.precision ?? DEFAULT_PRECISION;
    this.maxLogitRows = Math.min(this.maxTokens, options.maxLogitRows ?? DEFAULT_MAX_LOGIT_ROWS);
    this.buffers = new PassBuffers(environment, config, this.maxTokens, this.maxLogitRows);
    this.head = new HeadRuns(environment, config, steps, this.buffers.logits);
    this.attention = new Attention(environment, config);
    this.runOptions = RunOptions.create(environment);
  }

  /**
   * Builds the graphs of a model and loads its weights, layer by layer.
   * @param environment must outlive the decoder.
   * @throws SluiceError `unsupported` (quantisation), `bad-model`, `io`, `runtime`, `cancelled`; for weights with a budget
   * `budget-too-small` with `details.minimumBytes`.
   */
  static async open(
    source: ModelSource,
    environment: OrtEnvironment,
    options: DecoderOptions = {},
  ): Promise<Decoder> {
    const { config } = source;
    checkWeights(source);
    const reader = new TensorReader(source);
    try {
      const rope = new Rope(config.rope, ropeFactors(reader, config));
      const { weights, signal, precision = DEFAULT_PRECISION } = options;
      const loading = { config, precision, ...(signal && { signal }) };
      const steps = weights
        ? await openSteps(source, reader, environment, { ...loading, ...weights })
        : await ResidentSteps.open(reader, environment, loading);
      return new Decoder(config, environment, reader, steps, rope, options);
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** What the weights take. */
  weightMemory(): WeightMemory {
    return this.steps.memory();
  }

  /** What was read of weights since the decoder was opened. */
  weightTraffic(): WeightTraffic {
    return this.steps.traffic();
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
    try {
      const x =
        tokens.length <= this.maxTokens
          ? await this.shortPass(tokens, cache)
          : await this.longPass(tokens, cache, signal);
      const logits = await this.logits(x, logitRows);
      cache.advance(tokens.length);
      return logits;
    } finally {
      this.steps.endPass();
    }
  }

  /** @returns the last hidden state, `[tokens, width]`, valid until the next pass. */
  private async shortPass(tokens: readonly number[], cache: AttentionCache): Promise<Float32Array> {
    const count = tokens.length;
    this.embed(tokens, this.buffers.x[0].array(count));
    this.fillAngles(cache.position, count);
    const { layers } = this.config;
    const { keys, values } = this.buffers;
    for (let step = 0; step <= layers; step += 1) {
      if (step > 0) {
        const waiting = cache.attend(step - 1, this.attentionPass(count, 0));
        if (waiting) await waiting;
      }
      const session = this.steps.acquire(step);
      // Weights in memory don't make a pass wait.
      this.runFor(count, step, session instanceof Promise ? await session : session).run(this.runOptions);
      this.steps.release(step);
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
      const session = await this.steps.acquire(step);
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
        this.runFor(count, step, session).run(this.runOptions);
        if (step > 0) part(x, width).set(this.buffers.x[to].array(count));
        if (step === layers) continue;
        part(queries, heads * headDim).set(this.buffers.queries.array(count));
        cache.store(step, offset, keys.array(count), values.array(count));
      }
      this.steps.release(step);
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
    this.head.release();
    this.steps.close();
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

  /** The run of a step in passes of so many tokens: x and queries change places from step to step. */
  private runFor(count: number, step: number, session: OrtSession): BoundRun {
    let runs = this.runs.get(count);
    if (!runs) this.runs.set(count, (runs = []));
    const run = (runs[step] ??= this.bind(count, step, session));
    run.setSession(session);
    return run;
  }

  private bind(count: number, step: number, session: OrtSession): BoundRun {
    const { x, queries, keys, values, attended, cosines, sines } = this.buffers;
    const [from, to] = sides(step);
    const tensors = new Map<string, OrtTensor>([
      [NAMES.x, x[from].tensor(count)],
      [NAMES.nextX, x[to].tensor(count)],
      [NAMES.queries, queries.tensor(count)],
      [NAMES.attended, attended.tensor(count)],
      [NAMES.keys, keys.tensor(count)],
      [NAMES.values, values.tensor(count)],
      [NAMES.cosines, cosines.tensor(count)],
      [NAMES.sines, sines.tensor(count)],
    ]);
    const named = (names: readonly { readonly name: string }[]): Map<string, OrtTensor> =>
      new Map(names.map(({ name }) => [name, tensors.get(name)!]));
    return new BoundRun(session, named(session.inputs), named(session.outputs));
  }

  private async logits(x: Float32Array, logitRows: number): Promise<Float32Array> {
    const { logits } = this.buffers;
    if (logitRows === 0) return logits.array(0);
    // The last step read this one.
    const scratch = this.buffers.x[sides(this.config.layers)[0]];
    scratch.array(logitRows).set(x.subarray(x.length - logitRows * this.config.width));
    const waiting = this.head.run(
      logitRows,
      scratch.tensor(logitRows),
      layerSteps(this.config),
      this.runOptions,
    );
    if (waiting) await waiting;
    return logits.array(logitRows);
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
