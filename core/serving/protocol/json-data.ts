import { SluiceError } from '../../contract';
import { joinBytesElements, splitBytesElements } from './bytes-elements';
import { datatypeBytes } from './datatype';
import type { Datatype } from './datatype';
import { ELEMENT_CODECS } from './element-codecs';
import { elementCountOf, shapeText } from './tensor';
import type { OipTensor } from './tensor';

/** Arrays nested deeper are no tensor of any network. */
const MAX_RANK = 32;

/** Either the bytes of a tensor or why there are none. */
export type Decoded = { readonly bytes: Uint8Array } | { readonly fault: string };

/**
 * The elements as a flat JSON array, row-major. 64-bit integers keep every digit; what JSON has no number for becomes
 * `"NaN"`, `"Infinity"` or `"-Infinity"`; `BYTES` elements become strings.
 * @throws SluiceError `unsupported` for `BYTES` that are not UTF-8: those have a binary form only.
 */
export function jsonData({ name, datatype, shape, bytes }: OipTensor): string {
  if (datatype === 'BYTES') return bytesData(name, bytes);
  const codec = ELEMENT_CODECS[datatype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = datatypeBytes(datatype);
  const texts = new Array<string>(elementCountOf(shape));
  for (let i = 0; i < texts.length; i += 1) texts[i] = codec.text(view, i * step);
  return `[${texts.join(',')}]`;
}

function bytesData(name: string, bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const texts = splitBytesElements(bytes).map((element, index) => {
    try {
      return JSON.stringify(decoder.decode(element));
    } catch (cause) {
      throw new SluiceError(
        'unsupported',
        `Tensor "${name}": element ${index} is not UTF-8 text, which is all JSON can carry; ask for binary data.`,
        { name, index },
        { cause },
      );
    }
  });
  return `[${texts.join(',')}]`;
}

/** Bytes of the elements of a JSON array, flat or nested like the shape, row-major. */
export function decodeJsonData(datatype: Datatype, shape: readonly number[], data: unknown): Decoded {
  const elements: unknown[] = [];
  if (!Array.isArray(data)) return { fault: `"data": expected an array, found ${kindOf(data)}` };
  if (!flatten(data, elements, 0)) return { fault: `"data": nested deeper than ${MAX_RANK} arrays` };
  const count = elementCountOf(shape);
  if (elements.length !== count) {
    return { fault: `"data": shape ${shapeText(shape)} takes ${count} elements, found ${elements.length}` };
  }
  return datatype === 'BYTES' ? decodeTexts(elements) : decodeNumbers(datatype, elements);
}

function decodeNumbers(datatype: Exclude<Datatype, 'BYTES'>, elements: readonly unknown[]): Decoded {
  const { write, expected } = ELEMENT_CODECS[datatype];
  const step = datatypeBytes(datatype);
  const bytes = new Uint8Array(elements.length * step);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of elements.entries()) {
    if (write(view, index * step, value)) continue;
    return { fault: `"data" element ${index}: expected ${expected} (${datatype}), found ${shown(value)}` };
  }
  return { bytes };
}

function decodeTexts(elements: readonly unknown[]): Decoded {
  const encoder = new TextEncoder();
  const encoded: Uint8Array[] = [];
  for (const [index, value] of elements.entries()) {
    if (typeof value !== 'string') {
      return { fault: `"data" element ${index}: expected a string (BYTES), found ${shown(value)}` };
    }
    encoded.push(encoder.encode(value));
  }
  return { bytes: joinBytesElements(encoded) };
}

function flatten(data: readonly unknown[], into: unknown[], depth: number): boolean {
  if (depth === MAX_RANK) return false;
  for (const value of data) {
    if (!Array.isArray(value)) into.push(value);
    else if (!flatten(value, into, depth + 1)) return false;
  }
  return true;
}

function kindOf(value: unknown): string {
  return value === undefined ? 'nothing' : value === null ? 'null' : typeof value;
}

function shown(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? kindOf(value) : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
