import { dtypeNameOf } from '../base';
import {
  tensorOver,
  type BoundRun,
  type NativeMemory,
  type OrtEnvironment,
  type OrtTensor,
  type RunOptions,
} from '../ort';
import { planArena, type ArenaPlan, type Lifetime } from './arena';
import type { StoreManifest } from './manifest';
import { rowIndices, type RowSource } from './row-gather';
import { bindStep, type PreparedStep } from './step-run';
import { tensorByteLength, type HostTensor, type HostTensors } from './tensors';
import { sliceFor, type ValueShape } from './value-lifetimes';

/**
 * All steps bound to one arena for one set of input shapes: a run then allocates nothing and copies nothing but the
 * model's inputs in and its outputs out.
 */
export class StaticBinding {
  private readonly runs: (BoundRun | undefined)[];
  private readonly tensors: OrtTensor[] = [];

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly manifest: StoreManifest,
    steps: readonly PreparedStep[],
    private readonly shapes: ReadonlyMap<string, ValueShape>,
    private readonly plan: ArenaPlan,
    private readonly arena: NativeMemory,
  ) {
    this.runs = steps.map((prepared) => {
      if (!prepared.session) return undefined;
      const { inputs, outputs } = prepared.signature;
      return bindStep(
        prepared,
        inputs.map((name) => this.tensor(prepared, name)),
        outputs.map((name) => this.tensor(prepared, name)),
      );
    });
  }

  static plan(lifetimes: readonly Lifetime[]): ArenaPlan {
    return planArena(lifetimes);
  }

  writeInputs(inputs: HostTensors): void {
    for (const [name, tensor] of inputs) this.bytesOf(name).set(tensor.bytes);
  }

  run(index: number, options: RunOptions): void {
    this.runs[index]?.run(options);
  }

  gather(prepared: PreparedStep, source: RowSource, isCancelled: () => boolean): void {
    const gather = this.manifest.layers[prepared.step.first]?.gather;
    if (!gather) return;
    const values = integersIn(this.bytesOf(gather.indices), this.shapeOf(gather.indices).dtype);
    source.copyRows(rowIndices(values, gather), this.bytesOf(gather.output), isCancelled);
  }

  /** Copies of the model's outputs. */
  readOutputs(): Map<string, HostTensor> {
    return new Map(
      this.manifest.outputs.map(({ name }) => {
        const { dtype, dims } = this.shapeOf(name);
        return [name, { dtype: dtypeNameOf(dtype), dims, bytes: Uint8Array.from(this.bytesOf(name)) }];
      }),
    );
  }

  release(): void {
    for (const tensor of this.tensors) tensor.release();
  }

  private tensor(prepared: PreparedStep, name: string): OrtTensor {
    const shape = this.shapeOf(name);
    const tiling = this.manifest.layers[prepared.step.first]?.tiling;
    const bytes = this.bytesOf(name);
    const slice = sliceFor(prepared.step, tiling, name, shape) ?? {
      dims: shape.dims,
      byteOffset: 0,
      byteLength: bytes.byteLength,
    };
    const address = this.arena.address + BigInt(bytes.byteOffset - this.arena.byteOffset + slice.byteOffset);
    const tensor = tensorOver(
      this.environment,
      shape.dtype,
      slice.dims,
      address,
      slice.byteLength,
      this.arena,
    );
    this.tensors.push(tensor);
    return tensor;
  }

  private shapeOf(name: string): ValueShape {
    const shape = this.shapes.get(name);
    if (!shape) throw new Error(`The shape of ${name} is not known.`);
    return shape;
  }

  private bytesOf(name: string): Uint8Array {
    const { dtype, dims } = this.shapeOf(name);
    const start = this.plan.offsets.get(name) ?? 0;
    return this.arena.bytes.subarray(start, start + (tensorByteLength(dtype, dims) ?? 0));
  }
}

/** Values of an int32 or int64 tensor. */
export function integersIn(bytes: Uint8Array, dtype: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWide = dtype === 7;
  const size = isWide ? 8 : 4;
  return Array.from({ length: bytes.byteLength / size }, (_, at) =>
    isWide ? Number(view.getBigInt64(at * size, true)) : view.getInt32(at * size, true),
  );
}
