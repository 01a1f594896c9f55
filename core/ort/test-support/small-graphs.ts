import { DataType, encodeModel, makeNode, makeTensor, makeValueInfo, type OnnxGraph } from '../../onnx';
import { addressOf, tensorOver, type OrtEnvironment, type OrtTensor } from '../index';

/** A model file of what is given of its graph, opset 17. */
export function modelOf(graph: Partial<OnnxGraph>): Uint8Array {
  return encodeModel({
    irVersion: 8,
    producerName: 'test',
    opsets: [{ domain: '', version: 17 }],
    graph: { name: 'g', nodes: [], inputs: [], outputs: [], initializers: [], valueInfo: [], ...graph },
    functions: [],
    metadata: new Map(),
  });
}

/** y = x + 1 over [2, 3], float32. */
export function addOne(): Uint8Array {
  return modelOf({
    nodes: [makeNode('Add', ['x', 'one'], ['y'])],
    inputs: [makeValueInfo('x', DataType.float32, [2, 3])],
    outputs: [makeValueInfo('y', DataType.float32, [2, 3])],
    initializers: [makeTensor('one', DataType.float32, [], Float32Array.of(1))],
  });
}

/** A float32 tensor and the array behind it. */
export function floatTensor(
  environment: OrtEnvironment,
  dims: readonly number[],
  values: readonly number[],
): { tensor: OrtTensor; array: Float32Array } {
  const array = new Float32Array(new ArrayBuffer(4 * values.length));
  array.set(values);
  const tensor = tensorOver(environment, 'float32', dims, addressOf(array), array.byteLength, array);
  return { tensor, array };
}
