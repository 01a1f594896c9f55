import type { HostTensor, HostTensors } from '../tensors';

/** The part of onnxruntime-node that the comparison uses; only test files may load the package itself. */
export interface StockBinding {
  readonly InferenceSession: {
    create(path: string, options: object): Promise<StockSession>;
  };
  readonly Tensor: new (type: never, data: never, dims: readonly number[]) => object;
}

interface StockSession {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, never>): Promise<Record<string, StockTensor>>;
  release(): Promise<void>;
}

interface StockTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** What the stock binding computes from a model file. */
export async function referenceOutputs(
  binding: StockBinding,
  path: string,
  inputs: HostTensors,
): Promise<HostTensors> {
  const session = await binding.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds = [...inputs].map(([name, tensor]) => {
      return [name, new binding.Tensor(tensor.dtype as never, typedArray(tensor) as never, tensor.dims)];
    });
    const results = await session.run(Object.fromEntries(feeds) as Record<string, never>);
    return new Map(Object.entries(results).map(([name, tensor]) => [name, fromStock(tensor)]));
  } finally {
    await session.release();
  }
}

function fromStock({ type, data, dims }: StockTensor): HostTensor {
  const view = data as ArrayBufferView;
  return {
    dtype: type,
    dims,
    bytes: Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)),
  };
}

function typedArray({ dtype, bytes }: HostTensor): ArrayBufferView {
  const { buffer } = Uint8Array.from(bytes);
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'float16':
      return new Uint16Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'bool':
    case 'uint8':
      return new Uint8Array(buffer);
    default:
      throw new Error(`The reference takes no ${dtype}.`);
  }
}
