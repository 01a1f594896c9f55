import type { AttentionPass } from '../../llm';
import { allocateNativeMemory, tensorOver, type OrtEnvironment } from '../../ort';

/** A pass of given queries `[tokens, width]`, without a decoder around it. */
export class TestPass {
  readonly pass: AttentionPass;
  private readonly result: Float32Array;

  constructor(environment: OrtEnvironment, tokens: number, queries: Float32Array) {
    const width = queries.length / tokens;
    const tensor = (values: Float32Array): AttentionPass['queries'] => {
      const memory = allocateNativeMemory(values.byteLength);
      memory.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return tensorOver(environment, 'float32', [tokens, width], memory.address, values.byteLength, memory);
    };
    const memory = allocateNativeMemory(queries.byteLength);
    this.result = new Float32Array(memory.bytes.buffer, memory.byteOffset, queries.length);
    this.pass = {
      tokens,
      offset: 0,
      queries: tensor(queries),
      attended: tensorOver(
        environment,
        'float32',
        [tokens, width],
        memory.address,
        queries.byteLength,
        memory,
      ),
    };
  }

  /** `[tokens, width]`. */
  get attended(): Float32Array {
    return this.result;
  }

  release(): void {
    this.pass.queries.release();
    this.pass.attended.release();
  }
}
