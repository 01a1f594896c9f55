import { z } from 'zod';
import { numberToFloat16 } from '../base';
import { SluiceError } from '../contract';
import type { TensorSpec } from '../contract';
import { allocateElements, elementCount, isTensorDtype } from './tensor';
import type { Tensor, TensorDtype } from './tensor';

const dimension = z.number().int().nonnegative();
const element = z.union([
  z.number(),
  z.boolean(),
  z.string().regex(/^-?\d{1,20}$/, 'expected a decimal integer'),
]);
/** 64-bit integers past 2^53 come as decimal strings. */
const jsonTensor = z.strictObject({
  shape: z.array(dimension),
  data: z.array(element),
  dtype: z.string().optional(),
});
const jsonInputs = z.record(z.string(), jsonTensor);
type JsonTensor = z.infer<typeof jsonTensor>;

/**
 * Reads a model's inputs from JSON: `{inputName: {"shape": [1, 3], "data": [0.1, 0.2, 0.3], "dtype"?: "float32"}}`,
 * row-major, and checks them against the model.
 * @throws SluiceError `bad-input` that lists every fault: wrong names, dtypes, shapes, lengths and values, each with
 * what was expected and found.
 */
export function parseTensorJson(text: string, specs: readonly TensorSpec[]): ReadonlyMap<string, Tensor> {
  const given = new Map(Object.entries(parseStructure(text, specs)));
  const faults = nameFaults(given, specs);
  const tensors = new Map<string, Tensor>();
  for (const spec of specs) {
    const input = given.get(spec.name);
    if (!input) continue;
    const found = checkInput(input, spec);
    faults.push(...found);
    if (found.length === 0 && isTensorDtype(spec.dtype)) {
      const dtype = spec.dtype;
      tensors.set(spec.name, { dtype, shape: input.shape, data: toElements(input.data, dtype) });
    }
  }
  throwFaults(faults, specs);
  return tensors;
}

/**
 * Checks ready tensors against the model's inputs, e.g. those read from `.npy` files.
 * @throws SluiceError `bad-input`, as `parseTensorJson`.
 */
export function checkTensors(tensors: ReadonlyMap<string, Tensor>, specs: readonly TensorSpec[]): void {
  const faults = nameFaults(tensors, specs);
  for (const spec of specs) {
    const tensor = tensors.get(spec.name);
    if (!tensor) continue;
    if (tensor.dtype !== spec.dtype) {
      faults.push(`input "${spec.name}": expected dtype ${spec.dtype}, found ${tensor.dtype}`);
    }
    faults.push(...shapeFaults(tensor.shape, tensor.data.length, spec));
  }
  throwFaults(faults, specs);
}

function parseStructure(text: string, specs: readonly TensorSpec[]): z.infer<typeof jsonInputs> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `The input is not JSON (${reason}). Expected {${expectedInputs(specs)}}.`,
      {},
      { cause },
    );
  }
  const parsed = jsonInputs.safeParse(json);
  if (parsed.success) return parsed.data;
  // A wrong kind of value tends to be wrong thousands of times.
  const issues = parsed.error.issues
    .slice(0, 20)
    .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
  const more = parsed.error.issues.length - issues.length;
  if (more > 0) issues.push(`and ${more} more like these`);
  throwFaults(issues, specs);
  return {};
}

function expectedInputs(specs: readonly TensorSpec[]): string {
  return specs
    .map(({ name, shape }) => `"${name}": {"shape": [${shape.join(', ')}], "data": [...]}`)
    .join(', ');
}

function throwFaults(faults: readonly string[], specs: readonly TensorSpec[]): void {
  if (faults.length === 0) return;
  const count = faults.length === 1 ? 'A fault' : `${faults.length} faults`;
  const list = faults.map((fault) => `\n- ${fault}`).join('');
  throw new SluiceError(
    'bad-input',
    `${count} in the model's input:${list}\nExpected {${expectedInputs(specs)}}.`,
    {
      faults,
    },
  );
}

function nameFaults(given: ReadonlyMap<string, unknown>, specs: readonly TensorSpec[]): string[] {
  const names = specs.map((spec) => spec.name);
  const quoted = names.map((name) => `"${name}"`).join(', ');
  const missing = names.filter((name) => !given.has(name)).map((name) => `input "${name}" is missing`);
  const unknown = [...given.keys()]
    .filter((name) => !names.includes(name))
    .map((name) => `"${name}" is no input of this model; expected ${quoted}`);
  return [...missing, ...unknown];
}

function shapeFaults(shape: readonly number[], length: number, spec: TensorSpec): string[] {
  const faults: string[] = [];
  const fits =
    shape.length === spec.shape.length && spec.shape.every((dim, i) => dim === -1 || dim === shape[i]);
  if (!fits) {
    faults.push(
      `input "${spec.name}": expected shape [${spec.shape.join(', ')}], found [${shape.join(', ')}]`,
    );
  }
  const expected = elementCount(shape);
  if (length !== expected) {
    faults.push(
      `input "${spec.name}": shape [${shape.join(', ')}] needs ${expected} values, found ${length} in "data"`,
    );
  }
  return faults;
}

function checkInput(input: JsonTensor, spec: TensorSpec): string[] {
  const faults = shapeFaults(input.shape, input.data.length, spec);
  if (input.dtype !== undefined && input.dtype !== spec.dtype) {
    faults.push(`input "${spec.name}": expected dtype ${spec.dtype}, found ${input.dtype}`);
  }
  if (!isTensorDtype(spec.dtype)) {
    faults.push(`input "${spec.name}" is ${spec.dtype}, which can't be given as JSON numbers`);
    return faults;
  }
  const accepts = acceptor(spec.dtype);
  const bad = input.data.findIndex((value) => !accepts(value));
  if (bad >= 0) {
    const found = JSON.stringify(input.data[bad]);
    faults.push(`input "${spec.name}": data[${bad}]: expected ${valueHint(spec.dtype)}, found ${found}`);
  }
  return faults;
}

function valueHint(dtype: TensorDtype): string {
  if (dtype === 'bool') return 'true, false, 0 or 1';
  const range = RANGES[dtype];
  if (!range) return `a number (${dtype})`;
  const long = dtype === 'int64' || dtype === 'uint64' ? ', past 2^53 as a string' : '';
  return `a whole number from ${range[0]} to ${range[1]} (${dtype}${long})`;
}

type Element = z.infer<typeof element>;

/** Inclusive ranges of the integer types. */
const RANGES: Partial<Record<TensorDtype, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

function acceptor(dtype: TensorDtype): (value: Element) => boolean {
  if (dtype === 'bool') return (value) => typeof value === 'boolean' || value === 0 || value === 1;
  const range = RANGES[dtype];
  if (!range) return (value) => typeof value === 'number';
  return (value) => {
    if (typeof value === 'boolean') return false;
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return false;
    const whole = BigInt(value);
    return whole >= range[0] && whole <= range[1];
  };
}

/** @param values accepted for `dtype`. */
function toElements(values: readonly Element[], dtype: TensorDtype): Tensor['data'] {
  const data = allocateElements(dtype, values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    values.forEach((value, i) => (data[i] = BigInt(value)));
  } else {
    values.forEach(
      (value, i) => (data[i] = dtype === 'float16' ? numberToFloat16(Number(value)) : Number(value)),
    );
  }
  return data;
}
