import { encodeModel } from '../../onnx';
import {
  allocateNativeMemory,
  BoundRun,
  OrtSession,
  RunOptions,
  tensorOver,
  type NativeMemory,
  type OrtEnvironment,
  type OrtTensor,
} from '../../ort';
import { attentionGraph, ATTENTION_NAMES, type HeadShape } from './attention-graph';
import { MaskBuffer } from './pass-buffers';

const FLOAT_BYTES = 4;

/** What a pass, or a part of a long one, asks of a cache at one layer. */
export interface AttentionPass {
  /** Its keys and values are in the cache by now. */
  readonly tokens: number;
  /** Tokens of the whole pass in front of these. */
  readonly offset: number;
  /** `[tokens, heads * headDim]`, rotated. */
  readonly queries: OrtTensor;
  /** Written: `[tokens, heads * headDim]`. */
  readonly attended: OrtTensor;
}

/** What attention of one layer reads: per key head, keys and values `[rows, headDim]`. */
export interface LayerView {
  /** A multiple of `CACHE_STEP_ROWS`. */
  readonly rows: number;
  readonly keys: readonly OrtTensor[];
  readonly values: readonly OrtTensor[];
}

/** Attention over rows in memory: one weightless graph for every layer, and one that also tells who was attended to. */
export class Attention {
  private readonly mask: MaskBuffer;
  private readonly options: RunOptions;
  private readonly plain: BoundAttention;
  private observed: BoundAttention | undefined;

  constructor(
    private readonly environment: OrtEnvironment,
    readonly shape: HeadShape,
  ) {
    this.mask = new MaskBuffer(environment);
    this.options = RunOptions.create(environment);
    this.plain = new BoundAttention(environment, shape, false);
  }

  /** @param before rows that every token sees; token i also sees the i + 1 behind them. */
  run(pass: AttentionPass, view: LayerView, before: number): void {
    this.plain.run(pass, view, this.mask.causal(pass.tokens, view.rows, before), this.options);
  }

  /**
   * The same, the same bits.
   * @returns `[kvHeads, view.rows]`: the attention each row got, summed over the pass's queries; valid until the next
   * observed run.
   */
  observe(pass: AttentionPass, view: LayerView, before: number): Float32Array {
    this.observed ??= new BoundAttention(this.environment, this.shape, true);
    this.observed.run(pass, view, this.mask.causal(pass.tokens, view.rows, before), this.options);
    return this.observed.received();
  }

  release(): void {
    this.plain.release();
    this.observed?.release();
    this.mask.release();
    this.options.release();
  }
}

class BoundAttention {
  private readonly session: OrtSession;
  private bound: BoundRun | undefined;
  private sums:
    { readonly rows: number; readonly memory: NativeMemory; readonly tensor: OrtTensor } | undefined;

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly shape: HeadShape,
    private readonly observes: boolean,
  ) {
    const model = encodeModel(attentionGraph(shape, { observed: observes }));
    this.session = OrtSession.create(environment, model, { optimization: 'all' });
  }

  run(pass: AttentionPass, view: LayerView, mask: OrtTensor, options: RunOptions): void {
    const run = (this.bound ??= this.bind(pass.queries, pass.attended));
    run.setInput(0, pass.queries);
    run.setInput(1, mask);
    for (let head = 0; head < this.shape.kvHeads; head += 1) {
      run.setInput(2 + 2 * head, view.keys[head]!);
      run.setInput(3 + 2 * head, view.values[head]!);
    }
    run.setOutput(0, pass.attended);
    if (this.observes) run.setOutput(1, this.sumsOf(view.rows));
    run.run(options);
  }

  received(): Float32Array {
    const { memory, rows } = this.sums!;
    return new Float32Array(memory.bytes.buffer, memory.byteOffset, this.shape.kvHeads * rows);
  }

  release(): void {
    this.sums?.tensor.release();
    this.session.release();
  }

  /** Every tensor is put in its place before each run; the first ones only hold the places. */
  private bind(input: OrtTensor, output: OrtTensor): BoundRun {
    const names = ATTENTION_NAMES;
    const heads = Array.from({ length: this.shape.kvHeads }, (_, head) => head);
    const inputs = [
      names.queries,
      names.mask,
      ...heads.flatMap((head) => [names.cachedKeys(head), names.cachedValues(head)]),
    ];
    const outputs = this.observes ? [names.attended, names.received] : [names.attended];
    return new BoundRun(
      this.session,
      new Map(inputs.map((name) => [name, input])),
      new Map(outputs.map((name) => [name, output])),
    );
  }

  private sumsOf(rows: number): OrtTensor {
    if (this.sums?.rows === rows) return this.sums.tensor;
    this.sums?.tensor.release();
    const bytes = this.shape.kvHeads * rows * FLOAT_BYTES;
    const known = this.sums?.memory;
    const memory = known && known.bytes.byteLength >= bytes ? known : allocateNativeMemory(bytes);
    const { environment } = this;
    const dims = [this.shape.kvHeads, rows];
    const tensor = tensorOver(environment, 'float32', dims, memory.address, bytes, memory);
    this.sums = { rows, memory, tensor };
    return tensor;
  }
}
