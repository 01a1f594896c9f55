export { dtypeBits, dtypeFromName, dtypeName, elementCount, tensorBytes } from './dtypes';
export { DataType } from './model';
export type {
  Attribute,
  Dim,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OpsetId,
  TensorData,
  ValueInfo,
} from './model';
export { decodeModel, readModel } from './read-model';
export type { ReadModelOptions } from './read-model';
export { readTensorBytes, readTensorBytesSync, tensorDataBytes } from './tensor-data';
export { encodeModel, writeModel } from './write-model';
export type { WriteModelOptions } from './write-model';
