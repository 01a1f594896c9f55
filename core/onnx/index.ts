export { findAttribute, intAttribute, makeAttribute, setAttribute, stringAttribute } from './attributes';
export type { AttributeValue } from './attributes';
export { checkModel } from './check-model';
export { dtypeBits, dtypeFromName, dtypeName, elementCount, tensorBytes } from './dtypes';
export {
  cloneGraph,
  cloneNode,
  constantTensor,
  constantsToInitializers,
  extractSubgraph,
  freshName,
  hoistSubgraphInitializers,
  removeUnusedNodes,
  renameUses,
} from './edits';
export type { Extraction } from './edits';
export { filesBeside, modelFiles } from './files-beside';
export type { ModelFile } from './files-beside';
export { makeNode, makeTensor, makeValueInfo } from './make';
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
export {
  allNames,
  collectInitializers,
  consumers,
  nodeInputs,
  outerNames,
  producers,
  requiredInputs,
  subgraphs,
  topologicalOrder,
  valueTypes,
} from './queries';
export { decodeModel, readModel } from './read-model';
export type { ReadModelOptions } from './read-model';
export { readTensorBytes, readTensorBytesSync, tensorDataBytes } from './tensor-data';
export { encodeModel, writeModel } from './write-model';
export type { WriteModelOptions } from './write-model';
