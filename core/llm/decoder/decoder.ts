import { SluiceError } from '../../contract';
import { encodeModel, type OnnxModel } from '../../onnx';
import { BoundRun, OrtSession, RunOptions, type OrtEnvironment, type OrtTensor } from '../../ort';
import type { ModelSource } from '../source/model-source';
import { TensorReader } from '../source/tensor-reader';
import { CACHE_STEP_ROWS } from './cache-step';
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
import { MaskBuffer, PassBuffers } from './pass-buffers';
import type { WeightPrecision } from './projections';
import { Rope } from './rope';

export interface DecoderOptions {
  /** Default `packed`. */
  readonly precision?: WeightPrecision;
  /** Tokens a pass may have; memory for activations grows with it. Default 64. */
  readonly maxTokens?: number;
  /** Rows of logits a pass may give. Default 32. */
  readonly maxLogitRows?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_TOKENS = 64;
const DEFAULT_MAX_LOGIT_ROWS = 32;

/**
 * A language model ready to run. A token's logits have the same bits whichever tokens share its pass, whatever the
 * pass's length, as long as the cache holds the same bits.
 */
export class Decoder {
  readonly maxTokens: number;
  readonly maxLogitRows: number;
  private readonly buffers: PassBuffers;
  private readonly mask: MaskBuffer;
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
    this.maxLogitRows = Math.min(this.maxTokens, options.maxLogitRows ?? DEFAULT_MAX_LOGIT_ROWS);
    this.buffers = new PassBuffers(environment, config, this.maxTokens, this.maxLogitRows);
    this.mask = new MaskBuffer(environment);
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
      for (const model of graphs(reader, { config, precision: options.precision ?? 'packed' })) {
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

  /** A cache for so many tokens, owned by the caller. */
  createCache(capacity: number): KvCache {
    return new KvCache(this.environment, this.config, capacity);
  }

  /**
   * Runs tokens that follow those in the cache, and adds them to it.
   * @param tokens 1 to `maxTokens`.
   * @param logitRows logits are wanted of so many of the last tokens, 0 to `maxLogitRows`.
   * @returns `[logitRows, vocabularySize]`, valid until the next pass.
   * @throws SluiceError `bad-input` for a token outside the vocabulary, `runtime`.
   */
  forward(tokens: readonly number[], cache: AttentionCache, logitRows: number): Float32Array {
    const count = tokens.length;
    const position = cache.length;
    this.checkPass(count, position, cache.capacity, logitRows);
    this.embed(tokens);
    const positions = tokens.map((_, index) => position + index);
    this.rope.fill(positions, this.buffers.cosines.array(count), this.buffers.sines.array(count));
    const rows = Math.ceil((position + count) / CACHE_STEP_ROWS) * CACHE_STEP_ROWS;
    const mask = this.mask.causal(count, rows, position);
    for (const [step, run] of this.runsFor(count).entries()) {
      if (step > 0) this.bindCache(run, step - 1, cache, rows, mask);
      run.run(this.runOptions);
      if (step < this.config.layers) {
        cache.store(step, position, this.buffers.keys.array(count), this.buffers.values.array(count));
      }
    }
    cache.setLength(position + count);
    return this.logits(count, logitRows);
  }

  /** Frees the sessions; caches are their owners' to release. */
  close(): void {
    this.buffers.release();
    this.mask.release();
    this.runOptions.release();
    for (const session of this.sessions) session.release();
    this.reader.close();
  }

  private checkPass(count: number, position: number, capacity: number, logitRows: number): void {
    if (count >= 1 && count <= this.maxTokens && logitRows <= Math.min(count, this.maxLogitRows)) {
      if (position + count <= capacity) return;
    }
    throw new SluiceError(
      'internal',
      `A pass of ${count} tokens at ${position} with ${logitRows} logits exceeds ${this.maxTokens} tokens, ` +
        `${this.maxLogitRows} logits or a cache of ${capacity}.`,
    );
  }

  private embed(tokens: readonly number[]): void {
    const { vocabularySize, width } = this.config;
    const x = this.buffers.x[0].array(tokens.length);
    for (const [index, token] of tokens.entries()) {
      if (!Number.isInteger(token) || token < 0 || token >= vocabularySize) {
        throw new SluiceError('bad-input', `Expected tokens of 0 to ${vocabularySize - 1}, found ${token}.`);
      }
      this.reader.row(EMBEDDING, token, x.subarray(index * width, (index + 1) * width));
    }
  }

  /** The chain of runs for passes of so many tokens: x and queries change places from step to step. */
  private runsFor(count: number): readonly BoundRun[] {
    const known = this.runs.get(count);
    if (known) return known;
    const { x, queries, keys, values, cosines, sines } = this.buffers;
    const { layers } = this.config;
    const runs = this.sessions.slice(0, layers + 1).map((session, step) => {
      // The first graph only reads x; every later one writes the other x.
      const from = step === 0 ? 0 : (step - 1) % 2;
      const bySpec = new Map<string, OrtTensor>([
        [NAMES.x, x[from as 0 | 1].tensor(count)],
        [NAMES.nextX, x[(1 - from) as 0 | 1].tensor(count)],
        [NAMES.queries, queries[from as 0 | 1].tensor(count)],
        [NAMES.nextQueries, queries[(1 - from) as 0 | 1].tensor(count)],
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

  private bindCache(
    run: BoundRun,
    layer: number,
    cache: AttentionCache,
    rows: number,
    mask: OrtTensor,
  ): void {
    const view = cache.view(layer, rows);
    const names = run.session.inputs;
    for (const [position, { name }] of names.entries()) {
      if (name === NAMES.mask) run.setInput(position, mask);
      const head = Number(/\d+$/.exec(name)?.[0] ?? -1);
      if (head < 0) continue;
      run.setInput(position, (name === NAMES.cachedKeys(head) ? view.keys : view.values)[head]!);
    }
  }

  private logits(count: number, logitRows: number): Float32Array {
    const { x, logits } = this.buffers;
    if (logitRows === 0) return logits.array(0);
    const { width, layers } = this.config;
    const [result, scratch] = layers % 2 === 0 ? [x[0], x[1]] : [x[1], x[0]];
    scratch.array(logitRows).set(result.array(count).subarray((count - logitRows) * width));
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

/** Binds by name; inputs that belong to a cache are put in before each run. */
function bindStep(session: OrtSession, tensors: ReadonlyMap<string, OrtTensor>): BoundRun {
  const placeholder = tensors.get(NAMES.x)!;
  return new BoundRun(
    session,
    new Map(session.inputs.map(({ name }) => [name, tensors.get(name) ?? placeholder])),
    new Map(session.outputs.map(({ name }) => [name, tensors.get(name)])),
  );
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
