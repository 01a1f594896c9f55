import { SluiceError } from '../../contract';
import { encodeModel, type OnnxModel } from '../../onnx';
import { heapBytes, OrtSession, type OrtEnvironment } from '../../ort';
import type { RowRange, TensorReader } from '../source/tensor-reader';
import type { LayerGraphOptions } from './layer-graphs';
import { headStepGraph, layerStepGraph, layerSteps, wholeHead } from './step-graphs';
import { NO_TRAFFIC, type WeightMemory, type WeightSteps, type WeightTraffic } from './weight-steps';

export interface LoadingOptions extends LayerGraphOptions {
  readonly signal?: AbortSignal;
  readonly budgetBytes?: number;
}

/** All weights in memory. */
export class ResidentSteps implements WeightSteps {
  private constructor(
    private readonly sessions: readonly OrtSession[],
    readonly headParts: readonly RowRange[],
    private readonly used: WeightMemory,
  ) {}

  /** Builds the graphs, step by step. @throws SluiceError `unsupported`, `bad-model`, `io`, `runtime`, `cancelled`. */
  static async open(
    reader: TensorReader,
    environment: OrtEnvironment,
    options: LoadingOptions,
  ): Promise<ResidentSteps> {
    const sessions: OrtSession[] = [];
    const parts = wholeHead(options.config);
    let residentBytes = 0;
    let isMeasured = true;
    try {
      for (const model of graphs(reader, options)) {
        await nextStep(options.signal);
        const bytes = encodeModel(model);
        const before = heapBytes();
        sessions.push(OrtSession.create(environment, bytes, { optimization: 'all' }));
        const after = heapBytes();
        isMeasured &&= after !== undefined;
        // V8 frees buffers in the background, which makes a session look smaller than its weights.
        residentBytes += Math.max(bytes.byteLength, (after ?? 0) - (before ?? 0));
      }
      const { budgetBytes } = options;
      return new ResidentSteps(sessions, parts, {
        ...(budgetBytes !== undefined && { budgetBytes }),
        residentBytes,
        ringBytes: 0,
        sessionBytes: 0,
        streamedBytesPerPass: 0,
        isMeasured,
      });
    } catch (error) {
      for (const session of sessions) session.release();
      throw error;
    }
  }

  acquire(step: number): OrtSession {
    return this.sessions[step]!;
  }

  release(): void {
    // They stay.
  }

  endPass(): void {
    // Nothing was taken.
  }

  memory(): WeightMemory {
    return this.used;
  }

  traffic(): WeightTraffic {
    return NO_TRAFFIC;
  }

  close(): void {
    for (const session of this.sessions) session.release();
  }
}

function* graphs(reader: TensorReader, options: LayerGraphOptions): Generator<OnnxModel> {
  const { config } = options;
  for (let step = 0; step < layerSteps(config); step += 1) yield layerStepGraph(reader, options, step);
  for (const part of wholeHead(config)) yield headStepGraph(reader, options, part);
}

/** Lets the process do other work between two steps. @throws SluiceError `cancelled`. */
export async function nextStep(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted) throw new SluiceError('cancelled', 'Loading the model was cancelled.');
}
