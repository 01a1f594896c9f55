import { denseBytes, dtypeCodeOf, elementBytes } from '../base';
import { SluiceError, type TensorSpec } from '../contract';

/** A tensor in JavaScript's memory, little-endian, row-major. */
export interface HostTensor {
  /** As in `TensorSpec`. */
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

export type HostTensors = ReadonlyMap<string, HostTensor>;

/**
 * Checks the inputs of a run against what the model takes.
 * @throws SluiceError `bad-input` listing every fault: missing and unknown names, dtypes, ranks, dims, byte lengths.
 */
export function checkInputs(specs: readonly TensorSpec[], inputs: HostTensors): void {
  const faults: string[] = [];
  const known = new Set(specs.map((spec) => spec.name));
  for (const name of inputs.keys()) {
    if (!known.has(name))
      faults.push(`unknown input '${name}'; the model takes ${[...known].join(', ') || 'none'}`);
  }
  for (const spec of specs) {
    const tensor = inputs.get(spec.name);
    if (!tensor)
      faults.push(`input '${spec.name}' is missing; expected ${spec.dtype} ${formatShape(spec.shape)}`);
    else faults.push(...tensorFaults(spec, tensor));
  }
  if (faults.length > 0)
    throw new SluiceError('bad-input', `Inputs don't fit the model: ${faults.join('; ')}.`, { faults });
}

function tensorFaults(spec: TensorSpec, tensor: HostTensor): string[] {
  const faults: string[] = [];
  if (tensor.dtype !== spec.dtype)
    faults.push(`input '${spec.name}': expected ${spec.dtype}, found ${tensor.dtype}`);
  const fits =
    tensor.dims.length === spec.shape.length &&
    spec.shape.every((dim, axis) => dim < 0 || dim === tensor.dims[axis]);
  if (!fits || tensor.dims.some((dim) => !Number.isInteger(dim) || dim < 0)) {
    faults.push(
      `input '${spec.name}': expected shape ${formatShape(spec.shape)}, found ${formatShape(tensor.dims)}`,
    );
  }
  const size = tensorByteLength(tensor.dtype, tensor.dims);
  if (size !== undefined && size !== tensor.bytes.byteLength) {
    faults.push(
      `input '${spec.name}': ${tensor.dtype} ${formatShape(tensor.dims)} takes ${size} bytes, found ${tensor.bytes.byteLength}`,
    );
  }
  return faults;
}

/** Bytes of a dense tensor; undefined for dtypes without a fixed size. */
export function tensorByteLength(dtype: string | number, dims: readonly number[]): number | undefined {
  const code = typeof dtype === 'number' ? dtype : dtypeCodeOf(dtype);
  return code === undefined || elementBytes(code) === 0 ? undefined : denseBytes(code, dims);
}

/** `[1, 3, ?, ?]`. */
export function formatShape(dims: readonly number[]): string {
  return `[${dims.map((dim) => (dim < 0 ? '?' : String(dim))).join(', ')}]`;
}
