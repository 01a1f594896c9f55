import { gaussian, seededRandom, type Random } from '../../base';
import {
  DataType,
  elementCount,
  makeNode,
  makeTensor,
  makeValueInfo,
  type Dim,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type ValueInfo,
} from '../../onnx';

type NodeAttributes = Parameters<typeof makeNode>[3];

/** Writes small graphs by hand: seeded weights in memory, names and operators as the test wants them. */
export class GraphMaker {
  readonly nodes: OnnxNode[] = [];
  readonly inputs: ValueInfo[] = [];
  readonly outputs: ValueInfo[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly random: Random;
  private nextName = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  input(name: string, shape: readonly Dim[], dtype = DataType.float32): string {
    this.inputs.push(makeValueInfo(name, dtype, shape));
    return name;
  }

  output(name: string, shape: readonly Dim[] | undefined, dtype = DataType.float32): void {
    this.outputs.push(makeValueInfo(name, dtype, shape));
  }

  /** Normal deviates of mean 0, scaled so that a product over `fanIn` terms keeps its size. */
  weight(dims: readonly number[], fanIn: number, name = this.fresh('w')): string {
    const values = Float32Array.from(
      { length: elementCount(dims) },
      () => gaussian(this.random) / Math.sqrt(fanIn),
    );
    this.initializers.push(makeTensor(name, DataType.float32, dims, values));
    return name;
  }

  tensor(dtype: DataType, dims: readonly number[], values: ArrayBufferView, name = this.fresh('c')): string {
    this.initializers.push(makeTensor(name, dtype, dims, values));
    return name;
  }

  ints(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.tensor(DataType.int64, dims, BigInt64Array.from(values, BigInt));
  }

  strings(values: readonly string[], name = this.fresh('c')): string {
    const data = { kind: 'strings', values: values.map((text) => Buffer.from(text)) } as const;
    this.initializers.push({ name, dtype: DataType.string, dims: [values.length], data });
    return name;
  }

  /** @returns the node's only output. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: NodeAttributes = {},
    output = this.fresh('v'),
  ): string {
    this.nodes.push(makeNode(opType, inputs, [output], attributes));
    return output;
  }

  fresh(prefix: string): string {
    this.nextName += 1;
    return `${prefix}${this.nextName}`;
  }

  graph(name = 'made'): OnnxGraph {
    const { nodes, inputs, outputs, initializers } = this;
    return { name, nodes, inputs, outputs, initializers, valueInfo: [] };
  }

  model(versions: { readonly opset?: number; readonly irVersion?: number } = {}): OnnxModel {
    return {
      irVersion: versions.irVersion ?? 8,
      producerName: 'test',
      opsets: [{ domain: '', version: versions.opset ?? 17 }],
      graph: this.graph(),
      functions: [],
      metadata: new Map(),
    };
  }
}

/** int as an ONNX attribute. */
export const int = BigInt;
export const ints = (...values: number[]): bigint[] => values.map(BigInt);
