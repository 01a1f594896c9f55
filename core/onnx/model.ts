/**
 * An ONNX model in memory: the parts of `onnx.proto3` (ModelProto, GraphProto, ...) that Sluice reads or writes.
 * Large weights are not loaded: a tensor may only say where in which file its bytes stand.
 */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsets: readonly OpsetId[];
  readonly graph: OnnxGraph;
  /** Model-local functions, kept as undecoded protobuf bytes. */
  readonly functions: readonly Uint8Array[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Undecoded fields (versions, doc strings, device configuration) as protobuf bytes, written back unchanged. */
  readonly extra?: Uint8Array;
}

export interface OpsetId {
  /** '' is ai.onnx. */
  readonly domain: string;
  readonly version: number;
}

/** Mutable on purpose: builders and edits work in place; readers treat it as frozen. */
export interface OnnxGraph {
  name: string;
  nodes: OnnxNode[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  initializers: OnnxTensor[];
  valueInfo: ValueInfo[];
  /** Undecoded fields (doc string, quantisation annotations, metadata) as protobuf bytes. */
  extra?: Uint8Array;
}

export interface OnnxNode {
  name: string;
  opType: string;
  domain: string;
  /** '' is an omitted optional input. */
  inputs: string[];
  outputs: string[];
  attributes: Attribute[];
  /** Undecoded fields (doc string, overload, metadata, device configuration) as protobuf bytes. */
  extra?: Uint8Array;
}

export type Attribute =
  | { readonly name: string; readonly type: 'float'; readonly value: number }
  | { readonly name: string; readonly type: 'int'; readonly value: bigint }
  | { readonly name: string; readonly type: 'string'; readonly value: Uint8Array }
  | { readonly name: string; readonly type: 'tensor'; readonly value: OnnxTensor }
  | { readonly name: string; readonly type: 'graph'; readonly value: OnnxGraph }
  | { readonly name: string; readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly name: string; readonly type: 'ints'; readonly value: readonly bigint[] }
  | { readonly name: string; readonly type: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly name: string; readonly type: 'tensors'; readonly value: readonly OnnxTensor[] }
  | { readonly name: string; readonly type: 'graphs'; readonly value: readonly OnnxGraph[] }
  /** Anything else (sparse tensors, type protos): the AttributeProto's bytes, written back unchanged. */
  | { readonly name: string; readonly type: 'raw'; readonly value: Uint8Array };

export interface ValueInfo {
  readonly name: string;
  /** Absent for sequences, maps and optionals: then `rawType` holds the TypeProto. */
  readonly tensor?: { readonly dtype: DataType; readonly shape?: readonly Dim[] };
  readonly rawType?: Uint8Array;
  /** Undecoded fields (doc string, metadata) as protobuf bytes. */
  readonly extra?: Uint8Array;
}

/** A fixed size, a named symbol ('batch'), or '' for unknown. */
export type Dim = number | string;

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
  /** Undecoded fields (doc string, metadata) as protobuf bytes. */
  readonly extra?: Uint8Array;
}

/** Bytes in a file: the model file itself, or its external data. */
export interface FileData {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
  readonly offset: number;
  readonly byteLength: number;
  /** Real paths of the folders outside which the file must not lie, whenever it is opened; absent for files of ours. */
  readonly folders?: readonly string[];
}

export type TensorData =
  /** Little-endian, row-major, as `raw_data` has it. The array is owned by the model; nobody else may write it. */
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | FileData
  /** dtype string only. */
  | { readonly kind: 'strings'; readonly values: readonly Uint8Array[] };

/** TensorProto.DataType. */
export enum DataType {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  bool = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
  float8e8m0 = 24,
  uint2 = 25,
  int2 = 26,
}
