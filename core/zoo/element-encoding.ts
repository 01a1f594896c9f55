import { DataType, dtypeName } from '../onnx';
import { SluiceError } from '../contract';

/** Writes generated numbers as one tensor element type, little-endian as ONNX raw data is. */
export interface ElementEncoding {
  readonly bytesPerElement: number;
  /** Encodes `values` into `target` from byte 0; `target` holds at least `values.length` elements, 8-byte aligned. */
  encode(values: Float32Array, target: Uint8Array): void;
}

const ENCODINGS: ReadonlyMap<DataType, ElementEncoding> = new Map([
  [DataType.float32, viaArray(4, (target) => new Float32Array(target.buffer, target.byteOffset))],
  [DataType.float64, viaArray(8, (target) => new Float64Array(target.buffer, target.byteOffset))],
  [DataType.int8, viaArray(1, (target) => new Int8Array(target.buffer, target.byteOffset))],
  [DataType.uint8, viaArray(1, (target) => new Uint8Array(target.buffer, target.byteOffset))],
  [DataType.int32, viaArray(4, (target) => new Int32Array(target.buffer, target.byteOffset))],
  [DataType.float16, viaHalfWords(halfBits)],
  [DataType.bfloat16, viaHalfWords(bfloatBits)],
]);

/** Whether seeded values can be generated in this element type. */
export function canEncode(dtype: DataType): boolean {
  return ENCODINGS.has(dtype);
}

/** @throws SluiceError `unsupported` for element types seeded values are not generated in. */
export function elementEncoding(dtype: DataType): ElementEncoding {
  const encoding = ENCODINGS.get(dtype);
  if (encoding) return encoding;
  const known = [...ENCODINGS.keys()].map((key) => dtypeName(key));
  throw new SluiceError(
    'unsupported',
    `Seeded weights can't be generated as ${dtypeName(dtype)} (TensorProto type ${dtype}); expected one of ` +
      `${known.join(', ')}. Keep such a tensor as a constant.`,
    { dtype },
  );
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** IEEE 754 binary16 bits of `value`, rounded to nearest even; overflow becomes infinity. */
export function halfBits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(scratch[0]) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** bfloat16 bits of `value`, rounded to nearest even. */
function bfloatBits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] ?? 0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest === 0.5) return down + (down & 1);
  return rest > 0.5 ? down + 1 : down;
}

function viaArray(bytesPerElement: number, view: (target: Uint8Array) => { set(v: Float32Array): void }) {
  const encode = (values: Float32Array, target: Uint8Array) => view(target).set(values);
  return { bytesPerElement, encode };
}

function viaHalfWords(bitsOf: (value: number) => number): ElementEncoding {
  const encode = (values: Float32Array, target: Uint8Array) => {
    const words = new Uint16Array(target.buffer, target.byteOffset, values.length);
    for (let i = 0; i < values.length; i += 1) words[i] = bitsOf(values[i] ?? 0);
  };
  return { bytesPerElement: 2, encode };
}
