import { SluiceError } from '../contract';
import { DataType, elementCount } from '../onnx';
import type { Attribute, Dim, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, ValueInfo } from '../onnx';
import { elementEncoding } from './element-encoding';
import { seededTensor } from './seeded-tensor';
import type { Fill } from './seeded-tensor';

/** A tensor flowing through the graph under construction. */
export interface Value {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly Dim[];
}

export interface NodeSpec {
  readonly op: string;
  /** undefined is an omitted optional input. */
  readonly inputs: readonly (Value | undefined)[];
  readonly shape: readonly Dim[];
  /** Of the output; that of the first input when absent. */
  readonly dtype?: DataType;
  readonly attributes?: readonly Attribute[];
  /** Module path, `layer1.0.conv1`; parameterless operators usually have none and are numbered. */
  readonly name?: string;
}

export interface GraphBuilderOptions {
  readonly name: string;
  readonly seed: number;
  /** Element type of weights and scalar constants; float32 when absent. */
  readonly dtype?: DataType;
  /** Prefix of value names, for subgraphs: their names must differ from those of the graph around them. */
  readonly scope?: string;
}

const OPSET = 17;
/** The IR version that came with opset 17 (onnx 1.12). */
const IR_VERSION = 8;

/**
 * Records nodes and weights and follows shapes, so that layers need no channel counts. Names, operators and
 * order are those of a PyTorch export. `LayerBuilder` adds the layers on top.
 */
export class GraphBuilder {
  readonly dtype: DataType;
  protected readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxTensor[] = [];
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly usedNames = new Map<string, number>();

  constructor(protected readonly options: GraphBuilderOptions) {
    this.dtype = options.dtype ?? DataType.float32;
  }

  input(name: string, shape: readonly Dim[], dtype: DataType = this.dtype): Value {
    this.inputs.push({ name, tensor: { dtype, shape } });
    return { name, dtype, shape };
  }

  /** Makes `value` a graph output, renaming it. @throws SluiceError `internal` when no node produces it. */
  output(name: string, value: Value): void {
    const producer = this.nodes.find((node) => node.outputs.includes(value.name));
    if (!producer)
      throw new SluiceError('internal', `No node produces ${value.name}, wanted as output ${name}.`);
    const renamed = (names: string[]) => names.map((old) => (old === value.name ? name : old));
    producer.outputs = renamed(producer.outputs);
    for (const node of this.nodes) node.inputs = renamed(node.inputs);
    this.outputs.push({ name, tensor: { dtype: value.dtype, shape: value.shape } });
  }

  node(spec: NodeSpec): Value {
    const [value] = this.nodeWithOutputs(spec, [spec.shape]);
    if (!value) throw new SluiceError('internal', `${spec.op} was recorded without an output.`);
    return value;
  }

  /** A node with one output per shape (Split). */
  nodeWithOutputs(spec: Omit<NodeSpec, 'shape'>, shapes: readonly (readonly Dim[])[]): Value[] {
    const scope = this.options.scope ? `/${this.options.scope}` : '';
    const path = this.uniqueName(
      `${scope}/${spec.name ? `${spec.name.replaceAll('.', '/')}/` : ''}${spec.op}`,
    );
    const dtype = spec.dtype ?? spec.inputs[0]?.dtype ?? this.dtype;
    const outputs = shapes.map((shape, index) => ({ name: `${path}_output_${index}`, dtype, shape }));
    this.nodes.push({
      name: path,
      opType: spec.op,
      domain: '',
      inputs: spec.inputs.map((value) => value?.name ?? ''),
      outputs: outputs.map((value) => value.name),
      attributes: [...(spec.attributes ?? [])],
    });
    return outputs;
  }

  /** A trainable weight, or with `trainable` false a statistic that parameter counts leave out. */
  weight(name: string, dims: readonly number[], fill: Fill, trainable = true, dtype = this.dtype): Value {
    this.initializers.push(seededTensor({ name, dtype, dims, fill, seed: this.options.seed, trainable }));
    return { name, dtype, shape: dims };
  }

  /** A `Constant` node of the builder's float type, or of int64/bool; `dims` [] is a scalar. */
  constant(values: readonly number[], dims: readonly number[] = [values.length], dtype = this.dtype): Value {
    const tensor = constantTensor('', values, dims, dtype);
    return this.node({
      op: 'Constant',
      inputs: [],
      shape: dims,
      dtype,
      attributes: [{ name: 'value', type: 'tensor', value: tensor }],
    });
  }

  /** int64 vector, as shapes, axes and sizes are given. */
  int64(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return this.constant(values, dims, DataType.int64);
  }

  scalar(value: number, dtype = this.dtype): Value {
    return this.constant([value], [], dtype);
  }

  /** A constant initializer: index tables and buffers that PyTorch stores beside the weights. */
  buffer(name: string, values: readonly number[], dims: readonly number[], dtype: DataType): Value {
    this.initializers.push(constantTensor(name, values, dims, dtype));
    return { name, dtype, shape: dims };
  }

  /** Ends the recording. */
  graph(): OnnxGraph {
    return {
      name: this.options.name,
      nodes: this.nodes,
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: this.initializers,
      valueInfo: [],
    };
  }

  model(): OnnxModel {
    return {
      irVersion: IR_VERSION,
      producerName: 'sluice-zoo',
      opsets: [{ domain: '', version: OPSET }],
      graph: this.graph(),
      functions: [],
      metadata: new Map(),
    };
  }

  private uniqueName(path: string): string {
    const uses = this.usedNames.get(path) ?? 0;
    this.usedNames.set(path, uses + 1);
    return uses === 0 ? path : `${path}_${uses}`;
  }
}

/** A small tensor with its values in memory; int64 and bool, or any type that can be generated. */
export function constantTensor(
  name: string,
  values: readonly number[],
  dims: readonly number[],
  dtype: DataType,
): OnnxTensor {
  if (elementCount(dims) !== values.length) {
    throw new SluiceError('internal', `${values.length} values don't fill dims [${dims.join(', ')}].`);
  }
  return { name, dtype, dims, data: { kind: 'inline', bytes: constantBytes(values, dtype) } };
}

function constantBytes(values: readonly number[], dtype: DataType): Uint8Array {
  if (dtype === DataType.bool) return Uint8Array.from(values);
  if (dtype === DataType.int64) {
    return new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value)).buffer);
  }
  const encoding = elementEncoding(dtype);
  const bytes = new Uint8Array(values.length * encoding.bytesPerElement);
  encoding.encode(Float32Array.from(values), bytes);
  return bytes;
}
