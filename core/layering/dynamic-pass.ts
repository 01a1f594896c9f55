import { dtypeCodeOf, dtypeNameOf } from '../base';
import {
  addressOf,
  copyFromNative,
  tensorOver,
  type OrtEnvironment,
  type OrtTensor,
  type RunOptions,
} from '../ort';
import type { StoreManifest, TilingRecord } from './manifest';
import { rowIndices, type RowSource } from './row-gather';
import { integersIn } from './static-binding';
import { bindStep, type PreparedStep } from './step-run';
import { tensorByteLength, type HostTensor, type HostTensors } from './tensors';
import { sliceFor, type ValueShape } from './value-lifetimes';

/**
 * One inference in which ONNX Runtime allocates the values, so that nothing need be known about their shapes before.
 * Values are released after their last use; `release` frees the rest.
 */
export class DynamicPass {
  /** Shapes of all values seen, model inputs included. */
  readonly shapes = new Map<string, ValueShape>();
  private readonly values = new Map<string, OrtTensor>();
  /** Memory behind tensors that are not ONNX Runtime's own; kept alive until release. */
  private readonly buffers = new Map<string, Uint8Array>();
  private readonly lastUse = new Map<string, number>();

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly manifest: StoreManifest,
    steps: readonly PreparedStep[],
    private readonly rows: ReadonlyMap<number, RowSource>,
    inputs: HostTensors,
  ) {
    steps.forEach(({ signature }, index) => {
      for (const name of signature.inputs) this.lastUse.set(name, index);
    });
    for (const { name } of manifest.outputs) this.lastUse.set(name, steps.length);
    for (const [name, tensor] of inputs) {
      const shape = { dtype: dtypeCodeOf(tensor.dtype) ?? 0, dims: tensor.dims };
      this.allocate(name, shape).set(tensor.bytes);
    }
  }

  run(prepared: PreparedStep, index: number, options: RunOptions, isCancelled: () => boolean): void {
    const { step } = prepared;
    const source = this.rows.get(index);
    const tiling = this.manifest.layers[step.first]?.tiling;
    if (source) this.gather(prepared, source, isCancelled);
    else if (step.kind === 'tile' && tiling && prepared.signature.outputs[0] === tiling.output) {
      this.runTile(prepared, tiling, options);
    } else this.runWhole(prepared, options);
    for (const name of prepared.signature.inputs) if (this.lastUse.get(name) === index) this.drop(name);
  }

  readOutputs(): Map<string, HostTensor> {
    return new Map(
      this.manifest.outputs.map(({ name }) => {
        const { dtype, dims } = this.shapeOf(name);
        return [name, { dtype: dtypeNameOf(dtype), dims, bytes: this.bytesOf(name) }];
      }),
    );
  }

  release(): void {
    for (const name of [...this.values.keys()]) this.drop(name);
  }

  private runWhole(prepared: PreparedStep, options: RunOptions): void {
    const { outputs } = prepared.signature;
    const slices: OrtTensor[] = [];
    const inputs = prepared.signature.inputs.map((name) => this.operand(prepared, name, slices));
    try {
      const run = bindStep(
        prepared,
        inputs,
        outputs.map(() => undefined),
      );
      run.run(options);
      const before = inputs.length + prepared.weights.length;
      outputs.forEach((name, position) => {
        const tensor = run.takeOutput(position);
        const shape = tensor?.shape();
        if (!tensor || !shape) throw new Error(`Step before ${before} gave no tensor for ${name}.`);
        this.values.set(name, tensor);
        this.shapes.set(name, shape);
      });
    } finally {
      for (const slice of slices) slice.release();
    }
  }

  /** A part of a contiguous output: the first one tells the shape of the whole, which is then allocated. */
  private runTile(prepared: PreparedStep, tiling: TilingRecord, options: RunOptions): void {
    if (!this.values.has(tiling.output)) {
      this.runWhole(prepared, options);
      const part = this.shapeOf(tiling.output);
      const axis = tiling.outputAxis < 0 ? part.dims.length + tiling.outputAxis : tiling.outputAxis;
      const dims = part.dims.map((dim, index) => (index === axis ? tiling.rows : dim));
      this.drop(tiling.output);
      this.allocate(tiling.output, { dtype: part.dtype, dims });
    }
    const slices: OrtTensor[] = [];
    try {
      const inputs = prepared.signature.inputs.map((name) => this.operand(prepared, name, slices));
      bindStep(prepared, inputs, [this.operand(prepared, tiling.output, slices)]).run(options);
    } finally {
      for (const slice of slices) slice.release();
    }
  }

  private gather(prepared: PreparedStep, source: RowSource, isCancelled: () => boolean): void {
    const gather = this.manifest.layers[prepared.step.first]?.gather;
    if (!gather) return;
    const indices = this.shapeOf(gather.indices);
    const rows = rowIndices(integersIn(this.bytesOf(gather.indices), indices.dtype), gather);
    const weight = this.manifest.layers[prepared.step.first]?.weights.find(
      (item) => item.name === gather.weight,
    );
    const target = this.allocate(gather.output, {
      dtype: weight?.dtype ?? 1,
      dims: [...indices.dims, ...(weight?.dims.slice(1) ?? [])],
    });
    source.copyRows(rows, target, isCancelled);
  }

  /** The tensor a step sees under a name: the whole value, or the slice that belongs to its rows. */
  private operand(prepared: PreparedStep, name: string, slices: OrtTensor[]): OrtTensor {
    const value = this.values.get(name);
    if (!value) throw new Error(`Value ${name} is used before it was made.`);
    const shape = this.shapeOf(name);
    const slice = sliceFor(prepared.step, this.manifest.layers[prepared.step.first]?.tiling, name, shape);
    if (!slice) return value;
    const address = value.dataAddress() + BigInt(slice.byteOffset);
    const tensor = tensorOver(this.environment, shape.dtype, slice.dims, address, slice.byteLength, value);
    slices.push(tensor);
    return tensor;
  }

  private allocate(name: string, shape: ValueShape): Uint8Array {
    const byteLength = tensorByteLength(shape.dtype, shape.dims) ?? 0;
    // A Uint8Array over an explicit ArrayBuffer never moves.
    const bytes = new Uint8Array(new ArrayBuffer(Math.max(8, byteLength)), 0, byteLength);
    const tensor = tensorOver(this.environment, shape.dtype, shape.dims, addressOf(bytes), byteLength, bytes);
    this.values.set(name, tensor);
    this.buffers.set(name, bytes);
    this.shapes.set(name, shape);
    return bytes;
  }

  private bytesOf(name: string): Uint8Array {
    const own = this.buffers.get(name);
    if (own) return Uint8Array.from(own);
    const { dtype, dims } = this.shapeOf(name);
    const value = this.values.get(name);
    if (!value) throw new Error(`Value ${name} is gone.`);
    return copyFromNative(value.dataAddress(), tensorByteLength(dtype, dims) ?? 0);
  }

  private shapeOf(name: string): ValueShape {
    const shape = this.shapes.get(name);
    if (!shape) throw new Error(`Value ${name} was never made.`);
    return shape;
  }

  private drop(name: string): void {
    this.values.get(name)?.release();
    this.values.delete(name);
    this.buffers.delete(name);
  }
}
