import { SluiceError } from '../../contract';
import { isDatatype } from './datatype';
import { decodeJsonData, jsonData } from './json-data';
import type { Decoded } from './json-data';
import { parseJson } from './lossless-json';
import type { TensorEntry } from './schemas';
import { bytesFault } from './tensor';
import type { OipTensor } from './tensor';

/** Tells how many bytes of a body are JSON; the tensors' bytes follow (binary tensor data extension). */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** A body of the protocol taken apart. Both parts are views of the body. */
export interface Frame {
  readonly json: unknown;
  /** Bytes of the binary tensors, one after the other. */
  readonly tail: Uint8Array;
}

/** A tensor as it came: its name, type and shape as claimed, and its bytes or what is wrong with them. */
export interface IncomingTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly content: Decoded;
}

/**
 * @param what names the body in errors, e.g. `The request's body`.
 * @param jsonLength value of `JSON_LENGTH_HEADER`; absent when all of the body is JSON.
 * @throws SluiceError `bad-input` when the length is no length within the body, or the JSON is malformed.
 */
export function readFrame(what: string, body: Uint8Array, jsonLength: string | undefined): Frame {
  const jsonBytes = jsonLength === undefined ? body.byteLength : jsonLengthOf(what, body, jsonLength);
  const text = new TextDecoder().decode(body.subarray(0, jsonBytes));
  try {
    return { json: parseJson(text), tail: body.subarray(jsonBytes) };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `${what} is malformed: expected ${jsonBytes} bytes of JSON, found ${problem}.`,
      { jsonBytes },
      { cause },
    );
  }
}

function jsonLengthOf(what: string, { byteLength }: Uint8Array, jsonLength: string): number {
  const bytes = Number(jsonLength);
  if (/^\d{1,15}$/.test(jsonLength) && bytes <= byteLength) return bytes;
  throw new SluiceError(
    'bad-input',
    `${what} is malformed: Inference-Header-Content-Length: expected the bytes of JSON, 0 to ${byteLength} ` +
      `(the whole body), found "${jsonLength}".`,
    { byteLength },
  );
}

/**
 * The tensors of a frame; entries with `binary_data_size` take their bytes from the tail in order.
 * @returns them, and the faults that belong to no single one of them.
 */
export function readTensors(
  entries: readonly TensorEntry[],
  tail: Uint8Array,
): { readonly tensors: readonly IncomingTensor[]; readonly faults: readonly string[] } {
  let offset = 0;
  const tensors = entries.map(({ name, datatype, shape, parameters = {}, data }) => {
    const size = parameters['binary_data_size'];
    const start = offset;
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) offset += size;
    const content =
      size === undefined
        ? decodeEntry(datatype, shape, data, parameters)
        : binaryContent(size, tail, start, data);
    return { name, datatype, shape, content };
  });
  const faults =
    offset === tail.byteLength
      ? []
      : [`the tensors' binary_data_size add up to ${offset} bytes, found ${tail.byteLength} after the JSON`];
  return { tensors, faults };
}

function decodeEntry(
  datatype: string,
  shape: readonly number[],
  data: unknown,
  parameters: Readonly<Record<string, unknown>>,
): Decoded {
  if (parameters['shared_memory_region'] !== undefined) {
    return { fault: 'shared memory is not supported; send the data along' };
  }
  return isDatatype(datatype) ? decodeJsonData(datatype, shape, data) : unknownDatatype(datatype);
}

/** The bytes are compared with type and shape where those are checked. */
function binaryContent(size: unknown, tail: Uint8Array, start: number, data: unknown): Decoded {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    return { fault: `binary_data_size: expected a whole number of bytes, found ${JSON.stringify(size)}` };
  }
  if (data !== undefined) return { fault: 'has both "data" and binary_data_size; expected one of them' };
  if (start + size > tail.byteLength) {
    const left = Math.max(0, tail.byteLength - start);
    return { fault: `binary_data_size is ${size}, but only ${left} bytes are left of the body` };
  }
  return { bytes: tail.subarray(start, start + size) };
}

/** What is wrong with a tensor by itself, whatever the model; empty when it is sound. */
export function tensorFaults({ datatype, shape, content }: IncomingTensor): readonly string[] {
  if ('fault' in content) return [content.fault];
  if (!isDatatype(datatype)) return [unknownDatatype(datatype).fault];
  const fault = bytesFault(datatype, shape, content.bytes);
  return fault === undefined ? [] : [fault];
}

/** A tensor that is known to be sound. @throws SluiceError `internal` when it is not. */
export function soundTensor({ name, datatype, shape, content }: IncomingTensor): OipTensor {
  if (isDatatype(datatype) && 'bytes' in content) return { name, datatype, shape, bytes: content.bytes };
  throw new SluiceError('internal', `Tensor "${name}" was used although it has faults.`);
}

function unknownDatatype(datatype: string): { readonly fault: string } {
  return { fault: `unknown datatype ${JSON.stringify(datatype.slice(0, 40))}` };
}

/** A body to send. */
export interface WrittenFrame {
  readonly body: Buffer;
  /** Value of `JSON_LENGTH_HEADER`; absent when all of the body is JSON. */
  readonly jsonBytes?: number;
}

/**
 * @param members the other members of the JSON object.
 * @param isBinary which tensors go after the JSON, by name.
 * @throws SluiceError `unsupported` for a tensor that JSON can't carry.
 */
export function writeFrame(
  members: Readonly<Record<string, unknown>>,
  key: 'inputs' | 'outputs',
  tensors: readonly OipTensor[],
  isBinary: (name: string) => boolean,
): WrittenFrame {
  const binary = tensors.filter(({ name }) => isBinary(name));
  const entries = tensors.map((tensor) => {
    const { name, datatype, shape, bytes } = tensor;
    const head = JSON.stringify({ name, datatype, shape }).slice(0, -1);
    if (!binary.includes(tensor)) return `${head},"data":${jsonData(tensor)}}`;
    return `${head},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
  });
  const others = JSON.stringify(members).slice(1, -1);
  const text = `{${others}${others === '' ? '' : ','}"${key}":[${entries.join(',')}]}`;
  if (binary.length === 0) return { body: Buffer.from(text) };
  const json = Buffer.from(text);
  return { body: Buffer.concat([json, ...binary.map(({ bytes }) => bytes)]), jsonBytes: json.byteLength };
}
