import { SluiceError } from '../contract';
import type { Lifetime } from './arena';
import type { StoreManifest, TilingRecord } from './manifest';
import { tilesAreContiguous, type Step } from './program';
import type { PreparedStep } from './step-run';
import { tensorByteLength } from './tensors';

/** dtype code and dims of a value, as it really was. */
export interface ValueShape {
  readonly dtype: number;
  readonly dims: readonly number[];
}

/** When each value of one inference comes and goes. @throws SluiceError `unsupported` for values without a size. */
export function valueLifetimes(
  manifest: StoreManifest,
  steps: readonly PreparedStep[],
  shapes: ReadonlyMap<string, ValueShape>,
): Lifetime[] {
  const first = new Map<string, number>(manifest.inputs.map((input) => [input.name, -1]));
  const last = new Map<string, number>();
  steps.forEach(({ signature }, index) => {
    for (const name of signature.outputs) if (!first.has(name)) first.set(name, index);
    for (const name of [...signature.inputs, ...signature.outputs]) last.set(name, index);
  });
  for (const { name } of manifest.outputs) last.set(name, steps.length);
  return [...first].map(([name, firstStep]) => ({
    name,
    firstStep,
    lastStep: Math.max(firstStep, last.get(name) ?? firstStep),
    byteLength: byteLengthOf(name, shapes),
  }));
}

function byteLengthOf(name: string, shapes: ReadonlyMap<string, ValueShape>): number {
  const shape = shapes.get(name);
  const bytes = shape && tensorByteLength(shape.dtype, shape.dims);
  if (bytes === undefined) {
    throw new SluiceError('unsupported', `Value ${name} has no fixed size (strings can't cross layers).`, {
      value: name,
    });
  }
  return bytes;
}

/** The part of a contiguous value that belongs to a tile's rows. */
export interface Slice {
  readonly dims: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Which part of a tiled step's output, or of an operand split with it, belongs to the step; undefined: all of it. */
export function sliceFor(
  step: Step,
  tiling: TilingRecord | undefined,
  name: string,
  shape: ValueShape,
): Slice | undefined {
  if (step.kind !== 'tile' || !tiling || !step.rows) return undefined;
  const isSplit = name === tiling.sum || (name === tiling.output && tilesAreContiguous(tiling));
  if (!isSplit) return undefined;
  const axis = tiling.outputAxis < 0 ? shape.dims.length + tiling.outputAxis : tiling.outputAxis;
  const total = tensorByteLength(shape.dtype, shape.dims) ?? 0;
  const rowBytes = total / tiling.rows;
  return {
    dims: shape.dims.map((dim, index) => (index === axis ? (step.rows?.count ?? dim) : dim)),
    byteOffset: step.rows.first * rowBytes,
    byteLength: step.rows.count * rowBytes,
  };
}
