import { SluiceError } from '../contract';
import { dtypeBits, dtypeFromNumber, dtypeName, elementCount, shapeText, tensorBytes } from './dtypes';
import type { ExternalData } from './external-data';
import { DataType } from './model';
import type { OnnxTensor, TensorData } from './model';
import type { ProtoReader } from './proto-reader';
import { FIELDS } from './schema';
import { decodeTypedData, typedField } from './typed-data';

const TENSOR = FIELDS.TensorProto;
const ENTRY = FIELDS.StringStringEntryProto;
const EXTRA_FIELDS: ReadonlySet<number> = new Set([TENSOR.doc_string, TENSOR.metadata_props]);

/** What decoding any part of one model needs to know. */
export interface DecodeContext {
  /** The model's path for file references; absent when it was decoded from memory. */
  readonly path?: string;
  /** Larger data become file references. */
  readonly inlineLimitBytes: number;
  /** Absent in memory: then external data is refused. */
  readonly external?: ExternalData;
}

/** The data of a tensor before its shape is known: fields may come in any order. */
interface TensorFields {
  name: string;
  dims: number[];
  dataType: number;
  raw?: { readonly start: number; readonly byteLength: number };
  /** Field numbers of typed data seen. */
  readonly typed: Set<number>;
  /** Set when the typed data is one packed run. */
  packed?: { readonly start: number; readonly byteLength: number };
  runs: number;
  isExternal: boolean;
  readonly externalEntries: Map<string, string>;
  readonly extra: Uint8Array[];
}

/** Decodes a TensorProto. Typed fields become little-endian raw bytes. @throws SluiceError `bad-model`. */
export function decodeTensor(reader: ProtoReader, context: DecodeContext): OnnxTensor {
  const begin = reader.stop;
  const fields = readFields(reader);
  const dtype = dtypeFromNumber(fields.dataType);
  if (dtype === undefined || dtype === DataType.undefined) {
    reader.fail(`tensor '${fields.name}': expected a known data_type, found ${fields.dataType}`);
  }
  const data = inTensor(reader, fields, () => decodeData(reader.restart(begin), fields, dtype, context));
  const tensor = { name: fields.name, dtype, dims: fields.dims, data };
  return fields.extra.length === 0 ? tensor : { ...tensor, extra: joinBytes(fields.extra) };
}

/** Concatenates. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

function readFields(reader: ProtoReader): TensorFields {
  const fields: TensorFields = {
    name: '',
    dims: [],
    dataType: 0,
    typed: new Set(),
    runs: 0,
    isExternal: false,
    externalEntries: new Map(),
    extra: [],
  };
  while (reader.next()) readField(reader, fields);
  return fields;
}

function readField(reader: ProtoReader, fields: TensorFields): void {
  switch (reader.field) {
    case TENSOR.name:
      fields.name = reader.string();
      return;
    case TENSOR.dims:
      reader.integersInto(fields.dims);
      return;
    case TENSOR.data_type:
      fields.dataType = reader.integer();
      return;
    case TENSOR.raw_data:
      reader.checkBytes();
      fields.raw = { start: reader.start, byteLength: reader.byteLength };
      return;
    case TENSOR.data_location:
      fields.isExternal = reader.integer() === 1;
      return;
    case TENSOR.external_data: {
      const [key, value] = decodeEntry(reader.child('StringStringEntryProto'));
      fields.externalEntries.set(key, value);
      return;
    }
    case TENSOR.segment:
      throw new SluiceError(
        'unsupported',
        `${reader.source.name}: byte ${reader.tagOffset}: tensor '${fields.name}' is split into segments, which no ` +
          'released exporter writes; save the model with whole tensors',
      );
    case TENSOR.float_data:
    case TENSOR.int32_data:
    case TENSOR.string_data:
    case TENSOR.int64_data:
    case TENSOR.double_data:
    case TENSOR.uint64_data:
      fields.typed.add(reader.field);
      fields.runs += 1;
      if (reader.isBytes) fields.packed = { start: reader.start, byteLength: reader.byteLength };
      return;
    default:
      if (EXTRA_FIELDS.has(reader.field)) fields.extra.push(reader.wholeField());
  }
}

/** Key and value of a StringStringEntryProto. */
export function decodeEntry(reader: ProtoReader): [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === ENTRY.key) key = reader.string();
    else if (reader.field === ENTRY.value) value = reader.string();
  }
  return [key, value];
}

function decodeData(
  reader: ProtoReader,
  fields: TensorFields,
  dtype: DataType,
  context: DecodeContext,
): TensorData {
  if (dtype === DataType.string) return decodeStrings(reader, fields);
  const byteLength = tensorBytes(dtype, fields.dims);
  if (fields.isExternal) return decodeExternal(reader, fields, byteLength, context);
  if (fields.raw) {
    if (fields.raw.byteLength !== byteLength) {
      throw sizeFault(fields, dtype, byteLength, `${fields.raw.byteLength} bytes of raw_data`);
    }
    return span(reader, fields.raw.start, byteLength, context);
  }
  const field = typedField(dtype);
  const wrong = [...fields.typed].find((typed) => typed !== field);
  if (wrong !== undefined || (fields.typed.size === 0 && byteLength > 0)) {
    const found = wrong === undefined ? 'no data' : `TensorProto field ${wrong}`;
    throw sizeFault(fields, dtype, byteLength, found);
  }
  const isFixedWidth = field === TENSOR.float_data || field === TENSOR.double_data;
  if (isFixedWidth && fields.runs === 1 && fields.packed?.byteLength === byteLength) {
    return span(reader, fields.packed.start, byteLength, context);
  }
  return { kind: 'inline', bytes: decodeTypedData(reader, dtype, byteLength) };
}

function span(reader: ProtoReader, start: number, byteLength: number, context: DecodeContext): TensorData {
  if (context.path !== undefined && byteLength > context.inlineLimitBytes) {
    const folders = context.external?.folders;
    return { kind: 'file', path: context.path, offset: start, byteLength, ...(folders && { folders }) };
  }
  return { kind: 'inline', bytes: reader.source.copy(start, byteLength) };
}

function decodeStrings(reader: ProtoReader, fields: TensorFields): TensorData {
  const count = elementCount(fields.dims);
  const values: Uint8Array[] = [];
  while (reader.next()) if (reader.field === TENSOR.string_data) values.push(reader.bytes());
  if (values.length !== count || fields.isExternal || fields.raw) {
    const found = fields.isExternal || fields.raw ? 'raw or external data' : `${values.length} strings`;
    throw new SluiceError('bad-model', `expected ${count} strings in string_data, found ${found}`);
  }
  return { kind: 'strings', values };
}

function decodeExternal(
  reader: ProtoReader,
  fields: TensorFields,
  byteLength: number,
  context: DecodeContext,
): TensorData {
  const location = fields.externalEntries.get('location');
  if (location === undefined) throw new SluiceError('bad-model', 'external_data has no location');
  if (!context.external) {
    throw new SluiceError(
      'bad-model',
      `its data is in the external file '${location}', but the model was given as bytes without a folder; ` +
        'read it from its path',
    );
  }
  const offset = externalNumber(fields, 'offset') ?? 0;
  const length = externalNumber(fields, 'length') ?? byteLength;
  if (length !== byteLength) {
    throw new SluiceError(
      'bad-model',
      `expected ${byteLength} bytes of external data for shape ${shapeText(fields.dims)}, found length=${length}`,
    );
  }
  const entry = { tensor: fields.name, location, offset, byteLength };
  const path = context.external.resolve(entry);
  return byteLength === 0
    ? { kind: 'inline', bytes: reader.source.copy(0, 0) }
    : { kind: 'file', path, offset, byteLength, folders: context.external.folders };
}

function externalNumber(fields: TensorFields, key: string): number | undefined {
  const text = fields.externalEntries.get(key);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new SluiceError('bad-model', `external_data: expected ${key} in decimal bytes, found '${text}'`);
  }
  return value;
}

function sizeFault(fields: TensorFields, dtype: DataType, byteLength: number, found: string): SluiceError {
  const bits = dtypeBits(dtype);
  return new SluiceError(
    'bad-model',
    `expected ${byteLength} bytes for shape ${shapeText(fields.dims)} of ${dtypeName(dtype)} (${bits} bits each), ` +
      `found ${found}`,
  );
}

/** Adds file, byte and tensor to faults found where only the shape is known. */
function inTensor(reader: ProtoReader, fields: TensorFields, decode: () => TensorData): TensorData {
  try {
    return decode();
  } catch (thrown) {
    const isPlain = thrown instanceof SluiceError && thrown.details['file'] === undefined;
    if (!isPlain || thrown.code !== 'bad-model') throw thrown;
    return reader.fail(`tensor '${fields.name}': ${thrown.message}`, thrown);
  }
}
