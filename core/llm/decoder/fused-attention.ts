import { DataType, encodeModel, type OnnxModel } from '../../onnx';
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
import type { AttentionPass } from './attention';
import type { HeadShape } from './attention-graph';
import { GraphRecorder, MICROSOFT } from './graph-recorder';
import type { LayerRows } from './kv-cache';

const FLOAT_BYTES = 4;

/**
 * Attention of a single token by ONNX Runtime's fused operator: takes a fifth to a third less time than `Attention`, with
 * slightly other bits (about 1e-7). So it is for drafts; verification needs the bits of `Attention`.
 */
export class FusedAttention {
  private readonly session: OrtSession;
  private readonly options: RunOptions;
  /** Key and value of the token, which the operator writes where they are already: `[1, kvHeads * headDim]`, by kind. */
  private readonly token: readonly [Tensor, Tensor];
  /** Rows in front of the token, then rows with it: int32. */
  private readonly counts: NativeMemory;
  private readonly countTensors: readonly [OrtTensor, OrtTensor];
  private readonly bound = new Map<LayerRows, BoundLayer>();

  /** The operator wants heads of whole vectors. */
  static supports({ headDim }: HeadShape): boolean {
    return headDim % 8 === 0;
  }

  /** @throws SluiceError `runtime` for a shape that is not supported, when it runs. */
  constructor(
    private readonly environment: OrtEnvironment,
    private readonly shape: HeadShape,
  ) {
    this.session = OrtSession.create(environment, encodeModel(fusedGraph(shape)), { optimization: 'all' });
    this.options = RunOptions.create(environment);
    const width = shape.kvHeads * shape.headDim;
    this.token = [new Tensor(environment, [1, width]), new Tensor(environment, [1, width])];
    this.counts = allocateNativeMemory(2 * Int32Array.BYTES_PER_ELEMENT);
    const { address } = this.counts;
    this.countTensors = [
      tensorOver(environment, 'int32', [1], address, 4, this.counts),
      tensorOver(environment, 'int32', [], address + 4n, 4, this.counts),
    ];
  }

  /**
   * @param pass of one token, whose key and value are in `rows` by now, at `before`.
   * @param rows the same ones for every call of a layer; released after this.
   */
  run(pass: AttentionPass, rows: LayerRows, before: number): void {
    this.copyToken(rows, before);
    const { bytes, byteOffset } = this.counts;
    new Int32Array(bytes.buffer, byteOffset, 2).set([before, before + 1]);
    let layer = this.bound.get(rows);
    if (!layer) this.bound.set(rows, (layer = this.bind(pass, rows)));
    layer.run.setInput(0, pass.queries);
    layer.run.setOutput(0, pass.attended);
    layer.run.run(this.options);
  }

  release(): void {
    for (const { cached } of this.bound.values()) for (const tensor of cached) tensor.release();
    for (const tensor of this.countTensors) tensor.release();
    for (const { tensor } of this.token) tensor.release();
    this.options.release();
    this.session.release();
  }

  private copyToken(rows: LayerRows, row: number): void {
    const { kvHeads, headDim } = this.shape;
    for (const kind of [0, 1] as const) {
      const { values } = this.token[kind];
      for (let head = 0; head < kvHeads; head += 1) {
        values.set(rows.rows(kind, head, row, row + 1), head * headDim);
      }
    }
  }

  /** What is cached goes in and out as the same memory, so that nothing of it is copied. */
  private bind(pass: AttentionPass, rows: LayerRows): BoundLayer {
    const { kvHeads, headDim } = this.shape;
    const bytes = kvHeads * rows.capacity * headDim * FLOAT_BYTES;
    const cached = [0, 1].map((kind) => {
      const address = rows.memory.address + BigInt(kind * bytes);
      const dims = [1, kvHeads, rows.capacity, headDim];
      return tensorOver(this.environment, 'float32', dims, address, bytes, rows.memory);
    });
    const inputs = [pass.queries, ...this.token.map(({ tensor }) => tensor), ...cached, ...this.countTensors];
    const outputs = [pass.attended, ...cached];
    const run = new BoundRun(
      this.session,
      new Map(INPUTS.map((name, index) => [name, inputs[index]!])),
      new Map(OUTPUTS.map((name, index) => [name, outputs[index]!])),
    );
    return { run, cached };
  }
}

interface BoundLayer {
  readonly run: BoundRun;
  readonly cached: readonly OrtTensor[];
}

const INPUTS = ['queries', 'keys', 'values', 'past_keys', 'past_values', 'rows_before', 'rows_after'];
const OUTPUTS = ['attended', 'present_keys', 'present_values'];

/** `GroupQueryAttention` (com.microsoft) of one text, keys rotated already. */
function fusedGraph({ heads, kvHeads, headDim }: HeadShape): OnnxModel {
  const graph = new GraphRecorder();
  const flat = (name: string, width: number): string =>
    graph.add('Unsqueeze', [graph.input(name, ['tokens', width]), graph.integers([0])]);
  const queries = flat('queries', heads * headDim);
  const token = ['keys', 'values'].map((name) => flat(name, kvHeads * headDim));
  const rows = [1, kvHeads, 'capacity', headDim];
  const past = ['past_keys', 'past_values'].map((name) => graph.input(name, rows));
  const counts = [
    graph.input('rows_before', [1], DataType.int32),
    graph.input('rows_after', [], DataType.int32),
  ];
  const [attended, ...present] = graph.addMany(
    'GroupQueryAttention',
    [queries, ...token, ...past, ...counts],
    3,
    { num_heads: BigInt(heads), kv_num_heads: BigInt(kvHeads), scale: 1 / Math.sqrt(headDim) },
    MICROSOFT,
  );
  const row = graph.add('Squeeze', [attended!, graph.integers([0])]);
  graph.output('attended', row, ['tokens', heads * headDim]);
  for (const [index, name] of ['present_keys', 'present_values'].entries()) {
    graph.output(name, present[index]!, rows);
  }
  return graph.model('fused-attention');
}

/** A float32 tensor over memory of its own. */
class Tensor {
  readonly values: Float32Array;
  readonly tensor: OrtTensor;

  constructor(environment: OrtEnvironment, dims: readonly number[]) {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const bytes = length * FLOAT_BYTES;
    const memory = allocateNativeMemory(bytes);
    this.values = new Float32Array(memory.bytes.buffer, memory.byteOffset, length);
    this.tensor = tensorOver(environment, 'float32', dims, memory.address, bytes, memory);
  }
}
