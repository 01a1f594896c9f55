/**
 * Field numbers of onnx.proto3 (ONNX 1.2x, IR version 14), https://github.com/onnx/onnx/blob/main/onnx/onnx-ml.proto.
 * Names are the schema's own, so that error messages can be looked up there.
 */
export const FIELDS = {
  ModelProto: {
    ir_version: 1,
    producer_name: 2,
    producer_version: 3,
    domain: 4,
    model_version: 5,
    doc_string: 6,
    graph: 7,
    opset_import: 8,
    metadata_props: 14,
    training_info: 20,
    functions: 25,
    configuration: 26,
  },
  OperatorSetIdProto: { domain: 1, version: 2 },
  StringStringEntryProto: { key: 1, value: 2 },
  GraphProto: {
    node: 1,
    name: 2,
    initializer: 5,
    doc_string: 10,
    input: 11,
    output: 12,
    value_info: 13,
    quantization_annotation: 14,
    sparse_initializer: 15,
    metadata_props: 16,
  },
  NodeProto: {
    input: 1,
    output: 2,
    name: 3,
    op_type: 4,
    attribute: 5,
    doc_string: 6,
    domain: 7,
    overload: 8,
    metadata_props: 9,
    device_configurations: 10,
  },
  AttributeProto: {
    name: 1,
    f: 2,
    i: 3,
    s: 4,
    t: 5,
    g: 6,
    floats: 7,
    ints: 8,
    strings: 9,
    tensors: 10,
    graphs: 11,
    doc_string: 13,
    tp: 14,
    type_protos: 15,
    type: 20,
    ref_attr_name: 21,
    sparse_tensor: 22,
    sparse_tensors: 23,
  },
  TensorProto: {
    dims: 1,
    data_type: 2,
    segment: 3,
    float_data: 4,
    int32_data: 5,
    string_data: 6,
    int64_data: 7,
    name: 8,
    raw_data: 9,
    double_data: 10,
    uint64_data: 11,
    doc_string: 12,
    external_data: 13,
    data_location: 14,
    metadata_props: 16,
  },
  SparseTensorProto: { values: 1, indices: 2, dims: 3 },
  ValueInfoProto: { name: 1, type: 2, doc_string: 3, metadata_props: 4 },
  TypeProto: {
    tensor_type: 1,
    sequence_type: 4,
    map_type: 5,
    denotation: 6,
    opaque_type: 7,
    sparse_tensor_type: 8,
    optional_type: 9,
  },
  'TypeProto.Tensor': { elem_type: 1, shape: 2 },
  TensorShapeProto: { dim: 1 },
  'TensorShapeProto.Dimension': { dim_value: 1, dim_param: 2, denotation: 3 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

export type MessageName = keyof typeof FIELDS;

/** `GraphProto.initializer`, or `GraphProto field 99` for a number this schema does not know. */
export function fieldName(message: MessageName, field: number): string {
  const known = Object.entries(FIELDS[message]).find(([, number]) => number === field);
  return known ? `${message}.${known[0]}` : `${message} field ${field}`;
}

/** AttributeProto.AttributeType. */
export const ATTRIBUTE_TYPE = {
  undefined: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;
