import { SluiceError } from '../contract';
import { makeAttribute } from './attributes';
import type { AttributeValue } from './attributes';
import { dtypeName, tensorBytes } from './dtypes';
import type { DataType, Dim, OnnxNode, OnnxTensor, ValueInfo } from './model';

/** A node of the default domain unless `options` says otherwise; named after its first output. */
export function makeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  options: { readonly name?: string; readonly domain?: string } = {},
): OnnxNode {
  return {
    name: options.name ?? outputs.find((output) => output !== '') ?? opType,
    opType,
    domain: options.domain ?? '',
    inputs: [...inputs],
    outputs: [...outputs],
    attributes: Object.entries(attributes).map(([name, value]) => makeAttribute(name, value)),
  };
}

/**
 * A tensor with its data in memory.
 * @param values row-major, in the dtype's own layout (float16 as Uint16Array bits, and so on); not copied, so the
 * tensor owns it from now on.
 * @throws SluiceError `bad-model` when the bytes do not fit the shape.
 */
export function makeTensor(
  name: string,
  dtype: DataType,
  dims: readonly number[],
  values: ArrayBufferView,
): OnnxTensor {
  const expected = tensorBytes(dtype, dims);
  if (values.byteLength !== expected) {
    throw new SluiceError(
      'bad-model',
      `tensor '${name}': expected ${expected} bytes for shape [${dims.join(', ')}] of ${dtypeName(dtype)}, found ` +
        `${values.byteLength}`,
      { tensor: name },
    );
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype, dims: [...dims], data: { kind: 'inline', bytes } };
}

/** A tensor value; without `shape` even the rank is unknown. */
export function makeValueInfo(name: string, dtype: DataType, shape?: readonly Dim[]): ValueInfo {
  return { name, tensor: shape ? { dtype, shape: [...shape] } : { dtype } };
}
