import { SluiceError } from '../contract';
import { decodeNode } from './decode-node';
import { decodeTensor, joinBytes } from './decode-tensor';
import type { DecodeContext } from './decode-tensor';
import { dtypeFromNumber } from './dtypes';
import type { DataType, Dim, OnnxGraph, ValueInfo } from './model';
import type { ProtoReader } from './proto-reader';
import { FIELDS } from './schema';

const GRAPH = FIELDS.GraphProto;
const VALUE = FIELDS.ValueInfoProto;
const TYPE = FIELDS.TypeProto;
const TENSOR_TYPE = FIELDS['TypeProto.Tensor'];
const DIMENSION = FIELDS['TensorShapeProto.Dimension'];
const GRAPH_EXTRA: ReadonlySet<number> = new Set([
  GRAPH.doc_string,
  GRAPH.quantization_annotation,
  GRAPH.metadata_props,
]);
const VALUE_EXTRA: ReadonlySet<number> = new Set([VALUE.doc_string, VALUE.metadata_props]);

/** Decodes a GraphProto, one field a step, so that the caller can give way between fields. */
export function* decodeGraphSteps(
  reader: ProtoReader,
  context: DecodeContext,
): Generator<undefined, OnnxGraph> {
  const graph: OnnxGraph = { name: '', nodes: [], inputs: [], outputs: [], initializers: [], valueInfo: [] };
  const extra: Uint8Array[] = [];
  while (reader.next()) {
    readGraphField(reader, context, graph);
    if (GRAPH_EXTRA.has(reader.field)) extra.push(reader.wholeField());
    yield;
  }
  if (extra.length > 0) graph.extra = joinBytes(extra);
  return graph;
}

/** Decodes a whole GraphProto. */
export function decodeGraph(reader: ProtoReader, context: DecodeContext): OnnxGraph {
  const steps = decodeGraphSteps(reader, context);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function readGraphField(reader: ProtoReader, context: DecodeContext, graph: OnnxGraph): void {
  switch (reader.field) {
    case GRAPH.name:
      graph.name = reader.string();
      return;
    case GRAPH.node:
      graph.nodes.push(decodeNode(reader.child('NodeProto'), context, decodeGraph));
      return;
    case GRAPH.initializer:
      graph.initializers.push(decodeTensor(reader.child('TensorProto'), context));
      return;
    case GRAPH.input:
      graph.inputs.push(decodeValueInfo(reader.child('ValueInfoProto')));
      return;
    case GRAPH.output:
      graph.outputs.push(decodeValueInfo(reader.child('ValueInfoProto')));
      return;
    case GRAPH.value_info:
      graph.valueInfo.push(decodeValueInfo(reader.child('ValueInfoProto')));
      return;
    case GRAPH.sparse_initializer:
      refuseSparse(reader);
  }
}

function refuseSparse(reader: ProtoReader): never {
  const sparse = reader.child('SparseTensorProto');
  let name = '';
  while (sparse.next()) {
    if (sparse.field !== FIELDS.SparseTensorProto.values) continue;
    const values = sparse.child('TensorProto');
    while (values.next()) if (values.field === FIELDS.TensorProto.name) name = values.string();
  }
  throw new SluiceError(
    'unsupported',
    `${reader.source.name}: byte ${reader.tagOffset}: '${name}' is a sparse initializer; export the model with dense weights`,
    { file: reader.source.name, tensor: name },
  );
}

function decodeValueInfo(reader: ProtoReader): ValueInfo {
  const value: { -readonly [K in keyof ValueInfo]: ValueInfo[K] } = { name: '' };
  const extra: Uint8Array[] = [];
  while (reader.next()) {
    if (reader.field === VALUE.name) value.name = reader.string();
    else if (reader.field === VALUE.type) Object.assign(value, decodeType(reader));
    else if (VALUE_EXTRA.has(reader.field)) extra.push(reader.wholeField());
  }
  if (extra.length > 0) value.extra = joinBytes(extra);
  return value;
}

/** A dense tensor type decoded, any other type kept as its bytes. */
function decodeType(reader: ProtoReader): Pick<ValueInfo, 'tensor' | 'rawType'> {
  const type = reader.child('TypeProto');
  while (type.next()) {
    if (type.field === TYPE.tensor_type) return { tensor: decodeTensorType(type.child('TypeProto.Tensor')) };
  }
  return { rawType: reader.bytes() };
}

function decodeTensorType(reader: ProtoReader): NonNullable<ValueInfo['tensor']> {
  let elementType = 0;
  let shape: Dim[] | undefined;
  while (reader.next()) {
    if (reader.field === TENSOR_TYPE.elem_type) elementType = reader.integer();
    else if (reader.field === TENSOR_TYPE.shape) shape = decodeShape(reader.child('TensorShapeProto'));
  }
  const dtype: DataType | undefined = dtypeFromNumber(elementType);
  if (dtype === undefined) reader.fail(`expected a known elem_type, found ${elementType}`);
  return shape ? { dtype, shape } : { dtype };
}

function decodeShape(reader: ProtoReader): Dim[] {
  const shape: Dim[] = [];
  while (reader.next()) {
    if (reader.field === FIELDS.TensorShapeProto.dim) {
      shape.push(decodeDimension(reader.child('TensorShapeProto.Dimension')));
    }
  }
  return shape;
}

function decodeDimension(reader: ProtoReader): Dim {
  let dim: Dim = '';
  while (reader.next()) {
    if (reader.field === DIMENSION.dim_value) dim = reader.integer();
    else if (reader.field === DIMENSION.dim_param) dim = reader.string();
  }
  // Some exporters write -1 for a size they do not know.
  return typeof dim === 'number' && dim < 0 ? '' : dim;
}
