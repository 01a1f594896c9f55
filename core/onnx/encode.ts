import { SluiceError } from '../contract';
import { tensorBytes, elementCount } from './dtypes';
import { DataType } from './model';
import type { Attribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, ValueInfo } from './model';
import { ProtoWriter } from './proto-writer';
import { ATTRIBUTE_TYPE, FIELDS } from './schema';

/** Where a tensor's bytes go when they are not written into the model. */
export interface ExternalPlace {
  /** Relative to the folder of the model. */
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** Decides for each tensor; undefined keeps it in the model. */
export type Placer = (tensor: OnnxTensor) => ExternalPlace | undefined;

/** The ModelProto. File references become file spans unless `place` puts them elsewhere. */
export function encodeModelProto(model: OnnxModel, place: Placer): ProtoWriter {
  const fields = FIELDS.ModelProto;
  const writer = new ProtoWriter();
  writer.integer(fields.ir_version, model.irVersion);
  if (model.producerName !== '') writer.string(fields.producer_name, model.producerName);
  if (model.extra) writer.raw(model.extra);
  for (const opset of model.opsets) {
    const child = new ProtoWriter();
    child.string(FIELDS.OperatorSetIdProto.domain, opset.domain);
    child.integer(FIELDS.OperatorSetIdProto.version, opset.version);
    writer.message(fields.opset_import, child);
  }
  for (const [key, value] of model.metadata) writer.message(fields.metadata_props, encodeEntry(key, value));
  for (const bytes of model.functions) writer.bytes(fields.functions, bytes);
  writer.message(fields.graph, encodeGraph(model.graph, place));
  return writer;
}

function encodeEntry(key: string, value: string): ProtoWriter {
  const writer = new ProtoWriter();
  writer.string(FIELDS.StringStringEntryProto.key, key);
  writer.string(FIELDS.StringStringEntryProto.value, value);
  return writer;
}

function encodeGraph(graph: OnnxGraph, place: Placer): ProtoWriter {
  const fields = FIELDS.GraphProto;
  const writer = new ProtoWriter();
  for (const node of graph.nodes) writer.message(fields.node, encodeNode(node, place));
  writer.string(fields.name, graph.name);
  for (const tensor of graph.initializers) writer.message(fields.initializer, encodeTensor(tensor, place));
  for (const value of graph.inputs) writer.message(fields.input, encodeValueInfo(value));
  for (const value of graph.outputs) writer.message(fields.output, encodeValueInfo(value));
  for (const value of graph.valueInfo) writer.message(fields.value_info, encodeValueInfo(value));
  if (graph.extra) writer.raw(graph.extra);
  return writer;
}

function encodeNode(node: OnnxNode, place: Placer): ProtoWriter {
  const fields = FIELDS.NodeProto;
  const writer = new ProtoWriter();
  for (const name of node.inputs) writer.string(fields.input, name);
  for (const name of node.outputs) writer.string(fields.output, name);
  if (node.name !== '') writer.string(fields.name, node.name);
  writer.string(fields.op_type, node.opType);
  if (node.domain !== '') writer.string(fields.domain, node.domain);
  for (const attribute of node.attributes) {
    if (attribute.type === 'raw') writer.bytes(fields.attribute, attribute.value);
    else writer.message(fields.attribute, encodeAttribute(attribute, place));
  }
  if (node.extra) writer.raw(node.extra);
  return writer;
}

function encodeAttribute(attribute: Exclude<Attribute, { type: 'raw' }>, place: Placer): ProtoWriter {
  const fields = FIELDS.AttributeProto;
  const writer = new ProtoWriter();
  writer.string(fields.name, attribute.name);
  writer.integer(fields.type, ATTRIBUTE_TYPE[attribute.type]);
  switch (attribute.type) {
    case 'float':
      writer.float(fields.f, attribute.value);
      break;
    case 'int':
      writer.integer(fields.i, attribute.value);
      break;
    case 'string':
      writer.bytes(fields.s, attribute.value);
      break;
    case 'tensor':
      writer.message(fields.t, encodeTensor(attribute.value, place));
      break;
    case 'graph':
      writer.message(fields.g, encodeGraph(attribute.value, place));
      break;
    case 'floats':
      writer.packedFloats(fields.floats, attribute.value);
      break;
    case 'ints':
      writer.packedIntegers(fields.ints, attribute.value);
      break;
    case 'strings':
      for (const value of attribute.value) writer.bytes(fields.strings, value);
      break;
    case 'tensors':
      for (const value of attribute.value) writer.message(fields.tensors, encodeTensor(value, place));
      break;
    case 'graphs':
      for (const value of attribute.value) writer.message(fields.graphs, encodeGraph(value, place));
  }
  return writer;
}

function encodeTensor(tensor: OnnxTensor, place: Placer): ProtoWriter {
  checkTensor(tensor);
  const fields = FIELDS.TensorProto;
  const writer = new ProtoWriter();
  if (tensor.dims.length > 0) writer.packedIntegers(fields.dims, tensor.dims);
  writer.integer(fields.data_type, tensor.dtype);
  if (tensor.name !== '') writer.string(fields.name, tensor.name);
  if (tensor.extra) writer.raw(tensor.extra);
  if (tensor.data.kind === 'strings') {
    for (const value of tensor.data.values) writer.bytes(fields.string_data, value);
    return writer;
  }
  const elsewhere = place(tensor);
  if (elsewhere) {
    writer.message(fields.external_data, encodeEntry('location', elsewhere.location));
    writer.message(fields.external_data, encodeEntry('offset', String(elsewhere.offset)));
    writer.message(fields.external_data, encodeEntry('length', String(elsewhere.byteLength)));
    writer.integer(fields.data_location, 1);
    return writer;
  }
  writer.bytes(fields.raw_data, tensor.data.kind === 'inline' ? tensor.data.bytes : tensor.data);
  return writer;
}

/** @throws SluiceError `internal`: a tensor whose data does not fit its shape must never reach a file. */
function checkTensor(tensor: OnnxTensor): void {
  const { data } = tensor;
  const isStrings = data.kind === 'strings';
  const expected = isStrings ? elementCount(tensor.dims) : tensorBytes(tensor.dtype, tensor.dims);
  const found = isStrings
    ? data.values.length
    : data.kind === 'inline'
      ? data.bytes.byteLength
      : data.byteLength;
  if (expected === found && isStrings === (tensor.dtype === DataType.string)) return;
  throw new SluiceError(
    'internal',
    `tensor '${tensor.name}' of shape [${tensor.dims.join(', ')}]: expected ${expected} ` +
      `${isStrings ? 'strings' : 'bytes'}, found ${found}`,
    { tensor: tensor.name },
  );
}

function encodeValueInfo(value: ValueInfo): ProtoWriter {
  const fields = FIELDS.ValueInfoProto;
  const writer = new ProtoWriter();
  writer.string(fields.name, value.name);
  if (value.rawType) {
    writer.bytes(fields.type, value.rawType);
  } else if (value.tensor) {
    const type = new ProtoWriter();
    type.message(FIELDS.TypeProto.tensor_type, encodeTensorType(value.tensor));
    writer.message(fields.type, type);
  }
  if (value.extra) writer.raw(value.extra);
  return writer;
}

function encodeTensorType(tensor: NonNullable<ValueInfo['tensor']>): ProtoWriter {
  const fields = FIELDS['TensorShapeProto.Dimension'];
  const writer = new ProtoWriter();
  writer.integer(FIELDS['TypeProto.Tensor'].elem_type, tensor.dtype);
  if (!tensor.shape) return writer;
  const shape = new ProtoWriter();
  for (const dim of tensor.shape) {
    const dimension = new ProtoWriter();
    if (typeof dim === 'number') dimension.integer(fields.dim_value, dim);
    else if (dim !== '') dimension.string(fields.dim_param, dim);
    shape.message(FIELDS.TensorShapeProto.dim, dimension);
  }
  writer.message(FIELDS['TypeProto.Tensor'].shape, shape);
  return writer;
}
