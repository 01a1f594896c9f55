import {
  allocateNativeMemory,
  tensorOver,
  type NativeMemory,
  type OrtEnvironment,
  type OrtTensor,
} from '../../ort';
import type { DecoderConfig } from './config';

const FLOAT_BYTES = 4;

/** Memory for one float32 value of a pass, `[tokens, width]`, and its tensors by number of tokens. */
export class PassBuffer {
  private readonly memory: NativeMemory;
  private readonly tensors = new Map<number, OrtTensor>();

  constructor(
    private readonly environment: OrtEnvironment,
    readonly maxTokens: number,
    private readonly width: number,
  ) {
    this.memory = allocateNativeMemory(maxTokens * width * FLOAT_BYTES);
  }

  tensor(tokens: number): OrtTensor {
    const known = this.tensors.get(tokens);
    if (known) return known;
    const { environment, memory, width } = this;
    const bytes = tokens * width * FLOAT_BYTES;
    const tensor = tensorOver(environment, 'float32', [tokens, width], memory.address, bytes, memory);
    this.tensors.set(tokens, tensor);
    return tensor;
  }

  /** The values of so many tokens, in place. */
  array(tokens: number): Float32Array {
    return new Float32Array(this.memory.bytes.buffer, this.memory.byteOffset, tokens * this.width);
  }

  release(): void {
    for (const tensor of this.tensors.values()) tensor.release();
    this.tensors.clear();
  }
}

/** Everything that flows between a decoder's graphs, allocated once for passes of up to `maxTokens`. */
export class PassBuffers {
  /** The hidden state: a graph reads one and writes the other. */
  readonly x: readonly [PassBuffer, PassBuffer];
  readonly queries: PassBuffer;
  readonly keys: PassBuffer;
  readonly values: PassBuffer;
  readonly attended: PassBuffer;
  readonly cosines: PassBuffer;
  readonly sines: PassBuffer;
  readonly logits: PassBuffer;

  constructor(environment: OrtEnvironment, config: DecoderConfig, maxTokens: number, maxLogitRows: number) {
    const buffer = (width: number, rows = maxTokens): PassBuffer => new PassBuffer(environment, rows, width);
    const { width, heads, kvHeads, headDim, rope, vocabularySize } = config;
    this.x = [buffer(width), buffer(width)];
    this.queries = buffer(heads * headDim);
    this.keys = buffer(kvHeads * headDim);
    this.values = buffer(kvHeads * headDim);
    this.attended = buffer(heads * headDim);
    this.cosines = buffer(rope.dim / 2);
    this.sines = buffer(rope.dim / 2);
    this.logits = buffer(vocabularySize, maxLogitRows);
  }

  release(): void {
    const { x, queries, keys, values, attended, cosines, sines, logits } = this;
    for (const buffer of [...x, queries, keys, values, attended, cosines, sines, logits]) buffer.release();
  }
}

/** The mask of a pass, `[tokens, 1, rows]`, made anew when either size changes. */
export class MaskBuffer {
  private memory: NativeMemory | undefined;
  private current: { tokens: number; rows: number; tensor: OrtTensor } | undefined;

  constructor(private readonly environment: OrtEnvironment) {}

  /** Token i, at `position + i`, sees the rows up to its own. */
  causal(tokens: number, rows: number, position: number): OrtTensor {
    const tensor = this.tensor(tokens, rows);
    const values = new Float32Array(this.memory!.bytes.buffer, this.memory!.byteOffset, tokens * rows);
    for (let token = 0; token < tokens; token += 1) {
      const start = token * rows;
      values.fill(0, start, start + position + token + 1);
      values.fill(-Infinity, start + position + token + 1, start + rows);
    }
    return tensor;
  }

  release(): void {
    this.current?.tensor.release();
    this.current = undefined;
  }

  private tensor(tokens: number, rows: number): OrtTensor {
    if (this.current?.tokens === tokens && this.current.rows === rows) return this.current.tensor;
    this.release();
    const bytes = tokens * rows * FLOAT_BYTES;
    if (!this.memory || this.memory.bytes.byteLength < bytes) this.memory = allocateNativeMemory(bytes);
    const { memory, environment } = this;
    const tensor = tensorOver(environment, 'float32', [tokens, 1, rows], memory.address, bytes, memory);
    this.current = { tokens, rows, tensor };
    return tensor;
  }
}
