import { dtypeNameOf } from '../base';
import { BoundRun } from './bound-run';
import { OrtEnvironment } from './environment';
import { addressOf, copyFromNative } from './native-memory';
import { RunOptions } from './run-options';
import { OrtSession } from './session';
import { tensorOver } from './tensor';

interface PlainTensor {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * A model run by ONNX Runtime as it is, all weights loaded: the reference that streaming is compared with. Its own
 * thread pool and memory arena, as a stock session has them.
 */
export class WholeModel {
  private constructor(
    private readonly environment: OrtEnvironment,
    private readonly session: OrtSession,
    private readonly options: RunOptions,
  ) {}

  /**
   * @param settings.optimise false: the graph is run as it stands and its weights are neither copied nor packed, so
   * that external data stay memory-mapped.
   * @throws SluiceError `runtime`, `bad-input` (threads), `unsupported` (no library).
   */
  static open(path: string, settings: { readonly threads: number; readonly optimise: boolean }): WholeModel {
    const environment = OrtEnvironment.open({ threads: 1 });
    const session = OrtSession.create(environment, path, {
      optimization: settings.optimise ? 'all' : 'none',
      ownThreads: settings.threads,
      arena: true,
      ...(settings.optimise ? {} : { config: { 'session.disable_prepacking': '1' } }),
    });
    return new WholeModel(environment, session, RunOptions.create(environment));
  }

  /**
   * One inference on the calling thread.
   * @param inputs row-major, by name; copied. @returns copies of the outputs, by name. @throws SluiceError `runtime`.
   */
  run(inputs: ReadonlyMap<string, PlainTensor>): Map<string, PlainTensor> {
    const tensors = new Map(
      [...inputs].map(([name, tensor]) => {
        const bytes = new Uint8Array(
          new ArrayBuffer(Math.max(8, tensor.bytes.byteLength)),
          0,
          tensor.bytes.byteLength,
        );
        bytes.set(tensor.bytes);
        const { dtype, dims } = tensor;
        return [
          name,
          tensorOver(this.environment, dtype, dims, addressOf(bytes), bytes.byteLength, bytes),
        ] as const;
      }),
    );
    const names = this.session.outputs.map((output) => output.name);
    const bound = new BoundRun(this.session, tensors, new Map(names.map((name) => [name, undefined])));
    try {
      bound.run(this.options);
      return new Map(names.flatMap((name, position) => this.take(bound, name, position)));
    } finally {
      for (const tensor of tensors.values()) tensor.release();
    }
  }

  private take(bound: BoundRun, name: string, position: number): [string, PlainTensor][] {
    const tensor = bound.takeOutput(position);
    const shape = tensor?.shape();
    if (!tensor || !shape) return [];
    const bytes = copyFromNative(tensor.dataAddress(), tensor.byteLength(shape));
    tensor.release();
    return [[name, { dtype: dtypeNameOf(shape.dtype), dims: shape.dims, bytes }]];
  }

  close(): void {
    this.options.release();
    this.session.release();
    this.environment.close();
  }
}
