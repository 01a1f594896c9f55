import { dequantise } from '../gguf/dequantise';
import { isPackable, packBlocks } from '../gguf/pack-blocks';
import type { StoredMatrix } from '../source/tensor-reader';
import { MICROSOFT, type GraphRecorder } from './graph-recorder';

/**
 * `packed`: quantised weights stay as they are, and rows of x are quantised to 8 bits by block while they are
 * multiplied (accuracy level 4 of MatMulNBits). `float32`: all weights are expanded. Either way a row's result has the
 * same bits whatever rows are beside it; see docs/adr/0013-language-model.md.
 */
export type WeightPrecision = 'packed' | 'float32';

const INT8_ACTIVATIONS = 4n;

/** Multiplies rows by constant matrices, in as few products as their types allow. */
export class Projector {
  /** Sums of a value by block, which all of its projections share. */
  private readonly sums = new Map<string, string>();

  constructor(
    private readonly graph: GraphRecorder,
    private readonly precision: WeightPrecision,
  ) {}

  /** `x [rows, in]` times each `matrix [out, in]` transposed. @returns values `[rows, out]`. */
  project(x: string, matrices: readonly StoredMatrix[]): string[] {
    const [first] = matrices;
    if (!first) return [];
    if (matrices.some((matrix) => matrix.type !== first.type)) {
      return matrices.map((matrix) => this.product(x, matrix));
    }
    const all = this.product(x, stack(matrices));
    if (matrices.length === 1) return [all];
    const sizes = this.graph.integers(matrices.map((matrix) => matrix.rows));
    return this.graph.addMany('Split', [all, sizes], matrices.length, { axis: -1n });
  }

  private product(x: string, matrix: StoredMatrix): string {
    return this.precision === 'packed' && isPackable(matrix.type)
      ? this.packedProduct(x, matrix)
      : this.denseProduct(x, matrix);
  }

  private denseProduct(x: string, { type, bytes, rows, columns }: StoredMatrix): string {
    const values = new Float32Array(rows * columns);
    dequantise(type, bytes, values);
    const transposed = new Float32Array(values.length);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        transposed[column * rows + row] = values[row * columns + column]!;
      }
    }
    return this.graph.add('MatMul', [x, this.graph.constant([columns, rows], transposed)]);
  }

  private packedProduct(x: string, { type, bytes, rows, columns }: StoredMatrix): string {
    const { graph } = this;
    const { bits, blockElements, quants, scales, offsets } = packBlocks(type, bytes, rows, columns);
    const blocks = columns / blockElements;
    const product = graph.add(
      'MatMulNBits',
      [
        x,
        graph.constant([rows, blocks, (blockElements * bits) / 8], quants),
        graph.constant([rows * blocks], scales),
      ],
      {
        K: BigInt(columns),
        N: BigInt(rows),
        bits: BigInt(bits),
        block_size: BigInt(blockElements),
        accuracy_level: INT8_ACTIVATIONS,
      },
      MICROSOFT,
    );
    if (!offsets) return product;
    const shift = graph.add('MatMul', [
      this.blockSums(x, blockElements),
      graph.constant([blocks, rows], offsets),
    ]);
    return graph.add('Add', [product, shift]);
  }

  private blockSums(x: string, blockElements: number): string {
    const key = `${x}/${blockElements}`;
    const known = this.sums.get(key);
    if (known !== undefined) return known;
    const { graph } = this;
    const blocks = graph.add('Reshape', [x, graph.integers([0, -1, blockElements])]);
    const sums = graph.add('ReduceSum', [blocks, graph.integers([-1])], { keepdims: 0n });
    this.sums.set(key, sums);
    return sums;
  }
}

/** Matrices of one type, one below the other. */
function stack(matrices: readonly StoredMatrix[]): StoredMatrix {
  const [first] = matrices;
  if (matrices.length === 1) return first!;
  return {
    type: first!.type,
    columns: first!.columns,
    rows: matrices.reduce((sum, matrix) => sum + matrix.rows, 0),
    bytes: Buffer.concat(matrices.map((matrix) => matrix.bytes)),
  };
}
