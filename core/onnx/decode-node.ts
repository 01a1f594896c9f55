import { decodeTensor, joinBytes } from './decode-tensor';
import type { DecodeContext } from './decode-tensor';
import type { Attribute, OnnxGraph, OnnxNode, OnnxTensor } from './model';
import type { ProtoReader } from './proto-reader';
import { ATTRIBUTE_TYPE, FIELDS } from './schema';

const NODE = FIELDS.NodeProto;
const ATTRIBUTE = FIELDS.AttributeProto;
/** Of a node's object and its lists, which have room for 17 names from the first one on. */
const NODE_COST_BYTES = 512;
const NODE_EXTRA: ReadonlySet<number> = new Set([
  NODE.doc_string,
  NODE.overload,
  NODE.metadata_props,
  NODE.device_configurations,
]);

/** `ai.onnx` is another spelling of the default domain, ''. */
export function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** Decodes a GraphProto; passed in, because graphs hold nodes and nodes hold graphs. */
export type GraphDecoder = (reader: ProtoReader, context: DecodeContext) => OnnxGraph;

/** Decodes a NodeProto with its attributes. */
export function decodeNode(reader: ProtoReader, context: DecodeContext, decodeGraph: GraphDecoder): OnnxNode {
  const node: OnnxNode = { name: '', opType: '', domain: '', inputs: [], outputs: [], attributes: [] };
  const extra: Uint8Array[] = [];
  reader.source.charge(NODE_COST_BYTES, reader.tagOffset);
  while (reader.next()) {
    switch (reader.field) {
      case NODE.name:
        node.name = reader.string();
        break;
      case NODE.op_type:
        node.opType = reader.string();
        break;
      case NODE.domain:
        node.domain = canonicalDomain(reader.string());
        break;
      case NODE.input:
        node.inputs.push(reader.string());
        break;
      case NODE.output:
        node.outputs.push(reader.string());
        break;
      case NODE.attribute:
        node.attributes.push(decodeAttribute(reader, context, decodeGraph));
        break;
      default:
        if (NODE_EXTRA.has(reader.field)) extra.push(reader.wholeField());
    }
  }
  if (extra.length > 0) node.extra = joinBytes(extra);
  return node;
}

/** Every value an AttributeProto may hold; `type` tells which one counts. */
interface AttributeFields {
  name: string;
  type: number;
  float: number;
  int: bigint;
  string: Uint8Array;
  tensor?: OnnxTensor;
  graph?: OnnxGraph;
  floats: number[];
  ints: bigint[];
  strings: Uint8Array[];
  tensors: OnnxTensor[];
  graphs: OnnxGraph[];
  /** The type of the value last seen: very old models leave `type` out. */
  seenType: number;
  /** Something this decoder does not look into. */
  isRaw: boolean;
}

/** `outer` stands at the attribute field of its node, so that the attribute can be kept as bytes. */
function decodeAttribute(outer: ProtoReader, context: DecodeContext, decodeGraph: GraphDecoder): Attribute {
  const reader = outer.child('AttributeProto');
  const fields: AttributeFields = {
    name: '',
    type: ATTRIBUTE_TYPE.undefined,
    float: 0,
    int: 0n,
    string: new Uint8Array(0),
    floats: [],
    ints: [],
    strings: [],
    tensors: [],
    graphs: [],
    seenType: ATTRIBUTE_TYPE.undefined,
    isRaw: false,
  };
  while (reader.next()) {
    if (reader.field === ATTRIBUTE.g) {
      fields.graph = decodeGraph(reader.child('GraphProto'), context);
      fields.seenType = ATTRIBUTE_TYPE.graph;
    } else if (reader.field === ATTRIBUTE.graphs) {
      fields.graphs.push(decodeGraph(reader.child('GraphProto'), context));
      fields.seenType = ATTRIBUTE_TYPE.graphs;
    } else {
      readAttributeField(reader, context, fields);
    }
  }
  if (fields.type === ATTRIBUTE_TYPE.undefined) fields.type = fields.seenType;
  return toAttribute(fields, reader) ?? { name: fields.name, type: 'raw', value: outer.bytes() };
}

function readAttributeField(reader: ProtoReader, context: DecodeContext, fields: AttributeFields): void {
  switch (reader.field) {
    case ATTRIBUTE.name:
      fields.name = reader.string();
      return;
    case ATTRIBUTE.type:
      fields.type = reader.integer();
      return;
    case ATTRIBUTE.f:
      fields.float = reader.float();
      fields.seenType = ATTRIBUTE_TYPE.float;
      return;
    case ATTRIBUTE.i:
      fields.int = reader.bigint();
      fields.seenType = ATTRIBUTE_TYPE.int;
      return;
    case ATTRIBUTE.s:
      fields.string = reader.bytes();
      fields.seenType = ATTRIBUTE_TYPE.string;
      return;
    case ATTRIBUTE.t:
      fields.tensor = decodeTensor(reader.child('TensorProto'), context);
      fields.seenType = ATTRIBUTE_TYPE.tensor;
      return;
    default:
      readListField(reader, context, fields);
  }
}

function readListField(reader: ProtoReader, context: DecodeContext, fields: AttributeFields): void {
  switch (reader.field) {
    case ATTRIBUTE.floats:
      reader.floatsInto(fields.floats);
      fields.seenType = ATTRIBUTE_TYPE.floats;
      return;
    case ATTRIBUTE.ints:
      reader.bigintsInto(fields.ints);
      fields.seenType = ATTRIBUTE_TYPE.ints;
      return;
    case ATTRIBUTE.strings:
      fields.strings.push(reader.bytes());
      fields.seenType = ATTRIBUTE_TYPE.strings;
      return;
    case ATTRIBUTE.tensors:
      fields.tensors.push(decodeTensor(reader.child('TensorProto'), context));
      fields.seenType = ATTRIBUTE_TYPE.tensors;
      return;
    case ATTRIBUTE.ref_attr_name:
    case ATTRIBUTE.tp:
    case ATTRIBUTE.type_protos:
    case ATTRIBUTE.sparse_tensor:
    case ATTRIBUTE.sparse_tensors:
      fields.isRaw = true;
  }
}

/** @returns undefined for what must be kept as bytes. */
function toAttribute(fields: AttributeFields, reader: ProtoReader): Attribute | undefined {
  const { name } = fields;
  if (fields.isRaw) return undefined;
  switch (fields.type) {
    case ATTRIBUTE_TYPE.float:
      return { name, type: 'float', value: fields.float };
    case ATTRIBUTE_TYPE.int:
      return { name, type: 'int', value: fields.int };
    case ATTRIBUTE_TYPE.string:
      return { name, type: 'string', value: fields.string };
    case ATTRIBUTE_TYPE.tensor:
      return {
        name,
        type: 'tensor',
        value: fields.tensor ?? reader.fail(`attribute '${name}' has no tensor`),
      };
    case ATTRIBUTE_TYPE.graph:
      return { name, type: 'graph', value: fields.graph ?? reader.fail(`attribute '${name}' has no graph`) };
    case ATTRIBUTE_TYPE.floats:
      return { name, type: 'floats', value: fields.floats };
    case ATTRIBUTE_TYPE.ints:
      return { name, type: 'ints', value: fields.ints };
    case ATTRIBUTE_TYPE.strings:
      return { name, type: 'strings', value: fields.strings };
    case ATTRIBUTE_TYPE.tensors:
      return { name, type: 'tensors', value: fields.tensors };
    case ATTRIBUTE_TYPE.graphs:
      return { name, type: 'graphs', value: fields.graphs };
    default:
      return undefined;
  }
}
