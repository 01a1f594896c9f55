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
