import { MICROSOFT, type GraphRecorder } from '../decoder/graph-recorder';
import type { StoredMatrix } from '../source/tensor-reader';
import {
  stacked,
  symmetricMatrix,
  transposedValuesOf,
  valuesOf,
  type SymmetricMatrix,
} from './export-weights';

/**
 * `q4`: as many bits as the file has, in blocks without minima, and x rounded to 8 bits (accuracy level 4). `fp32`:
 * expanded.
 */
export type ExportPrecision = 'q4' | 'fp32';

/** ONNX Runtime's fastest kernels for quantised weights. */
const INT8_ACTIVATIONS = 4n;

/** Records products with constant matrices, and look-ups in them. */
export class ExportProducts {
  constructor(
    private readonly graph: GraphRecorder,
    private readonly precision: ExportPrecision,
  ) {}

  /** `x [..., in]` times the transposed matrix. */
  multiply(x: string, matrix: StoredMatrix): string {
    if (this.precision === 'q4') return this.packedProduct(x, symmetricMatrix(matrix));
    const values = this.graph.constant([matrix.columns, matrix.rows], transposedValuesOf(matrix));
    return this.graph.add('MatMul', [x, values]);
  }

  /** The same for several matrices: their results side by side if one product gives them all, else each its own. */
  multiplyAll(x: string, matrices: readonly StoredMatrix[]): string[] {
    const all = this.precision === 'q4' ? stacked(matrices.map(symmetricMatrix)) : undefined;
    return all ? [this.packedProduct(x, all)] : matrices.map((matrix) => this.multiply(x, matrix));
  }

  /** Rows of the matrix by int64 numbers. */
  gather(matrix: StoredMatrix, numbers: string): string {
    const { graph } = this;
    const { rows, columns } = matrix;
    if (this.precision === 'fp32') {
      return graph.add('Gather', [graph.constant([rows, columns], valuesOf(matrix)), numbers]);
    }
    const { bits, blockElements, quants, scales } = symmetricMatrix(matrix);
    return graph.add(
      'GatherBlockQuantized',
      [
        graph.constant([rows, (columns * bits) / 8], quants),
        numbers,
        graph.constant([rows, columns / blockElements], scales),
      ],
      { bits: BigInt(bits), block_size: BigInt(blockElements), gather_axis: 0n, quantize_axis: 1n },
      MICROSOFT,
    );
  }

  private packedProduct(x: string, matrix: SymmetricMatrix): string {
    const { graph } = this;
    const { rows, columns, bits, blockElements, quants, scales } = matrix;
    const blocks = columns / blockElements;
    return graph.add(
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
  }
}
