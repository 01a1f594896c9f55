import { describe, expect, it } from 'vitest';

import { DataType, decodeModel, readTensorBytesSync } from './index';
import { ProtoWriter } from './proto-writer';
import { FIELDS } from './schema';

const TENSOR = FIELDS.TensorProto;

function decodeOne(dtype: DataType, count: number, fill: (tensor: ProtoWriter) => void): string {
  const tensor = new ProtoWriter();
  // Data before shape and type: fields may come in any order.
  fill(tensor);
  tensor.integer(TENSOR.dims, count);
  tensor.integer(TENSOR.data_type, dtype);
  const graph = new ProtoWriter();
  graph.message(FIELDS.GraphProto.initializer, tensor);
  const model = new ProtoWriter();
  model.message(FIELDS.ModelProto.graph, graph);
  const bytes = Buffer.concat(model.finish().filter((part) => part instanceof Uint8Array));
  const [initializer] = decodeModel(bytes).graph.initializers;
  if (!initializer) throw new Error('no initializer');
  return Buffer.from(readTensorBytesSync(initializer)).toString('hex');
}

/** Values as the typed fields have them; bytes as `numpy_helper.from_array` of onnx 1.23 gives them. */
const integers: readonly [DataType, number, readonly (number | bigint)[], string][] = [
  [DataType.int8, TENSOR.int32_data, [-1, 2, -128], 'ff0280'],
  [DataType.uint8, TENSOR.int32_data, [1, 255, 3], '01ff03'],
  [DataType.int16, TENSOR.int32_data, [-1, 32767, -32768], 'ffffff7f0080'],
  [DataType.uint16, TENSOR.int32_data, [1, 65535, 2], '0100ffff0200'],
  [DataType.int32, TENSOR.int32_data, [-1, 2147483647, -2147483648], 'ffffffffffffff7f00000080'],
  [DataType.int64, TENSOR.int64_data, [-1n, 2n ** 63n - 1n], 'ffffffffffffffffffffffffffffff7f'],
  [DataType.uint32, TENSOR.uint64_data, [1, 4294967295], '01000000ffffffff'],
  [DataType.uint64, TENSOR.uint64_data, [1n, 2n ** 64n - 1n], '0100000000000000ffffffffffffffff'],
  [DataType.bool, TENSOR.int32_data, [1, 0, 1], '010001'],
  [DataType.float16, TENSOR.int32_data, [0x3e00, 0xc000], '003e00c0'],
  [DataType.bfloat16, TENSOR.int32_data, [0x3fc0, 0xc000], 'c03f00c0'],
  [DataType.float8e4m3fn, TENSOR.int32_data, [0x38, 0xc4], '38c4'],
];

describe('typed data', () => {
  it.each(integers)('of dtype %i in field %i becomes raw bytes', (dtype, field, values, expected) => {
    const packed = decodeOne(dtype, values.length, (tensor) => tensor.packedIntegers(field, values));
    const single = decodeOne(dtype, values.length, (tensor) => {
      for (const value of values) tensor.integer(field, value);
    });
    expect([packed, single]).toEqual([expected, expected]);
  });

  it('of 4-bit integers has two in a value', () => {
    const bytes = decodeOne(DataType.int4, 3, (tensor) =>
      tensor.packedIntegers(TENSOR.int32_data, [0x78, 0x01]),
    );
    expect(bytes).toBe('7801');
  });

  it.each([
    [DataType.float32, 2],
    [DataType.complex64, 1],
  ])('of dtype %i may be floats, packed, single or mixed', (dtype, count) => {
    const packed = decodeOne(dtype, count, (tensor) => tensor.packedFloats(TENSOR.float_data, [1.5, -2]));
    const mixed = decodeOne(dtype, count, (tensor) => {
      tensor.float(TENSOR.float_data, 1.5);
      tensor.packedFloats(TENSOR.float_data, [-2]);
    });
    expect([packed, mixed]).toEqual(['0000c03f000000c0', '0000c03f000000c0']);
  });

  it('of doubles is copied as it stands', () => {
    const values = new Uint8Array(Float64Array.of(1.5).buffer);
    expect(decodeOne(DataType.float64, 1, (tensor) => tensor.bytes(TENSOR.double_data, values))).toBe(
      '000000000000f83f',
    );
  });
});
