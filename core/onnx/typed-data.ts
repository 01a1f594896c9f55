import { SluiceError } from '../contract';
import { DataType } from './model';
import type { ProtoReader } from './proto-reader';
import { FIELDS } from './schema';

const TENSOR = FIELDS.TensorProto;

/** The typed field that holds a dtype's values (TensorProto's comments in onnx.proto3). */
export function typedField(dtype: DataType): number {
  switch (dtype) {
    case DataType.float32:
    case DataType.complex64:
      return TENSOR.float_data;
    case DataType.float64:
    case DataType.complex128:
      return TENSOR.double_data;
    case DataType.int64:
      return TENSOR.int64_data;
    case DataType.uint32:
    case DataType.uint64:
      return TENSOR.uint64_data;
    case DataType.string:
      return TENSOR.string_data;
    default:
      // All narrower types, bit patterns of the small floats, and bytes of packed 4- and 2-bit values.
      return TENSOR.int32_data;
  }
}

/** Bytes of `raw_data` that one value of the typed field becomes. */
function widthOf(dtype: DataType): 1 | 2 | 4 | 8 {
  switch (dtype) {
    case DataType.int64:
    case DataType.uint64:
      return 8;
    case DataType.int32:
    case DataType.uint32:
      return 4;
    case DataType.uint16:
    case DataType.int16:
    case DataType.float16:
    case DataType.bfloat16:
      return 2;
    default:
      return 1;
  }
}

/**
 * Reads a tensor's typed data, packed, single or mixed, as little-endian bytes.
 * @param reader at the start of the TensorProto.
 * @throws SluiceError `bad-model` when the values do not fill exactly `byteLength` bytes.
 */
export function decodeTypedData(reader: ProtoReader, dtype: DataType, byteLength: number): Uint8Array {
  const field = typedField(dtype);
  if (field === TENSOR.float_data) return decodeFixed(reader, field, 4, byteLength);
  if (field === TENSOR.double_data) return decodeFixed(reader, field, 8, byteLength);
  const width = widthOf(dtype);
  // A varint takes at least one byte, so a true size cannot exceed this; a false one must not be allocated.
  if (byteLength > (reader.end - reader.stop) * width) throw countFault(byteLength, width, undefined);
  reader.source.charge(byteLength, reader.stop);
  const bytes = new Uint8Array(byteLength);
  const view = new DataView(bytes.buffer);
  let at = 0;
  while (reader.next()) {
    if (reader.field !== field) continue;
    reader.varints((low, high) => {
      if (at + width <= byteLength) write(view, at, width, low, high);
      at += width;
    });
  }
  if (at !== byteLength) throw countFault(byteLength, width, at / width);
  return bytes;
}

function write(view: DataView, at: number, width: 1 | 2 | 4 | 8, low: number, high: number): void {
  if (width === 1) {
    view.setUint8(at, low);
  } else if (width === 2) {
    view.setUint16(at, low, true);
  } else {
    view.setUint32(at, low, true);
    if (width === 8) view.setUint32(at + 4, high, true);
  }
}

function decodeFixed(reader: ProtoReader, field: number, width: 4 | 8, byteLength: number): Uint8Array {
  if (byteLength > reader.end - reader.stop) throw countFault(byteLength, width, undefined);
  reader.source.charge(byteLength, reader.stop);
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  while (reader.next()) {
    if (reader.field !== field) continue;
    reader.checkFixed(width);
    if (at + reader.byteLength <= byteLength)
      bytes.set(reader.source.copy(reader.start, reader.byteLength), at);
    at += reader.byteLength;
  }
  if (at !== byteLength) throw countFault(byteLength, width, at / width);
  return bytes;
}

function countFault(byteLength: number, width: number, found: number | undefined): SluiceError {
  const many = found === undefined ? 'far fewer' : `${found}`;
  return new SluiceError('bad-model', `expected ${byteLength / width} values, found ${many}`);
}
