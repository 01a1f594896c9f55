import {
  DataType,
  makeNode,
  makeTensor,
  makeValueInfo,
  type AttributeValue,
  type Dim,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type ValueInfo,
} from '../../onnx';

const OPSET = 17;
const IR_VERSION = 8;
/** ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft';

/** Records nodes and constants of a graph, naming values itself. Values are float32 unless said otherwise. */
export class GraphRecorder {
  private readonly nodes: OnnxNode[] = [];
  private readonly constants: OnnxTensor[] = [];
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];

  input(name: string, shape: readonly Dim[], dtype: DataType = DataType.float32): string {
    this.inputs.push(makeValueInfo(name, dtype, shape));
    return name;
  }

  /** Gives a value out under a name of its own. */
  output(name: string, value: string, shape: readonly Dim[]): void {
    // Renaming its producer instead would save no time: ONNX Runtime drops the node.
    this.nodes.push(makeNode('Identity', [value], [name]));
    this.outputs.push(makeValueInfo(name, DataType.float32, shape));
  }

  add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain = '',
  ): string {
    return this.addMany(op, inputs, 1, attributes, domain)[0]!;
  }

  addMany(
    op: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain = '',
  ): string[] {
    const first = `${op}_${this.nodes.length}`;
    const outputs = Array.from({ length: outputCount }, (_, index) => `${first}_${index}`);
    this.nodes.push(makeNode(op, inputs, outputs, attributes, { name: first, domain }));
    return outputs;
  }

  constant(dims: readonly number[], values: Float32Array | Uint8Array): string {
    return this.keep(values instanceof Uint8Array ? DataType.uint8 : DataType.float32, dims, values);
  }

  /** An int64 vector: shapes, axes, sizes. */
  integers(values: readonly number[]): string {
    return this.keep(DataType.int64, [values.length], BigInt64Array.from(values, BigInt));
  }

  model(name: string): OnnxModel {
    return {
      irVersion: IR_VERSION,
      producerName: 'sluice-llm',
      opsets: [
        { domain: '', version: OPSET },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name,
        nodes: this.nodes,
        inputs: this.inputs,
        outputs: this.outputs,
        initializers: this.constants,
        valueInfo: [],
      },
      functions: [],
      metadata: new Map(),
    };
  }

  private keep(dtype: DataType, dims: readonly number[], values: ArrayBufferView): string {
    const name = `constant_${this.constants.length}`;
    this.constants.push(makeTensor(name, dtype, dims, values));
    return name;
  }
}
