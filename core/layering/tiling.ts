import {
  DataType,
  findAttribute,
  intAttribute,
  setAttribute,
  elementCount,
  tensorDataBytes,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx';
import { DIRECT_ALIGNMENT } from '../storage';

/** How a heavy node can be split along its output channels or columns. */
export interface Tiling {
  readonly weight: string;
  readonly bias?: string;
  /** A residual operand fused into the node, split like the output. */
  readonly sum?: string;
  readonly output: string;
  readonly transpose: boolean;
  readonly rows: number;
  readonly rowBytes: number;
  readonly unitRows: number;
  /** A tile of fewer rows would be computed by another kernel. */
  readonly minRows: number;
  readonly outputAxis: number;
  readonly outputShape: readonly number[];
}

export interface TilingContext {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly threads: number;
}

/** Rows that tiles are made of, and the fewest a tile (the last one, of what is left over) may have. */
interface Grain {
  readonly block: number;
  readonly minRows: number;
}

/** MLAS works on blocks of 8 or 16 channels; multiples of 16 suit both. */
const NCHWC_GRAIN: Grain = { block: 16, minRows: 1 };
/** Output channels are the rows of a product here, and a product with one row takes a kernel of its own. */
const PLAIN_CONV_GRAIN: Grain = { block: 8, minRows: 2 };
/**
 * MLAS's matrix product blocks its inner dimension by how many columns a thread gets; from 128 columns a thread on the
 * blocking, and so the rounding, no longer depends on it (sgemm.cpp, MLAS_SGEMM_STRIDEN). That holds for the last tile
 * too: 136 columns left over of 5000 differ, as one of two threads gets 56 of them. Threads share the columns of a
 * product that is wider than high, and the rows of any other.
 */
const COLUMNS_PER_THREAD = 128;
/**
 * A product with one row takes a kernel that computes columns four at a time and what is left over by another one with
 * other rounding (measured: tiles of 66, 150 and 170 columns differ, all multiples of 4 agree). 16 leaves room for
 * wider registers. Scaled products (alpha, beta) never take that kernel.
 */
const COLUMNS_OF_VECTOR = 16;

/** @returns undefined when the node can't be split with the same bits. May rewrite the node to a transposed weight. */
export function describeTiling(
  node: OnnxNode,
  initializers: ReadonlyMap<string, OnnxTensor>,
  uses: ReadonlyMap<string, number>,
  context: TilingContext,
): Tiling | undefined {
  const [, weightName] = node.inputs;
  const weight = weightName === undefined ? undefined : initializers.get(weightName);
  if (!weight || weight.dtype !== DataType.float32 || uses.get(weight.name) !== 1) return undefined;
  if (tensorDataBytes(weight) !== 4 * elementCount(weight.dims)) return undefined;
  const isMatrix = weight.dims.length === 2;
  switch (`${node.domain}:${node.opType}`) {
    case 'com.microsoft.nchwc:Conv':
      return convTiling(node, weight, initializers, context, NCHWC_GRAIN);
    case ':Conv':
    case 'com.microsoft:FusedConv':
      return hasWidePlane(node, context)
        ? convTiling(node, weight, initializers, context, PLAIN_CONV_GRAIN)
        : undefined;
    case ':Gemm':
    case 'com.microsoft:FusedGemm':
      return isMatrix ? gemmTiling(node, weight, initializers, context) : undefined;
    case ':MatMul':
    case 'com.microsoft:FusedMatMul':
      return isMatrix ? matMulTiling(node, weight, context) : undefined;
    default:
      return undefined;
  }
}

function convTiling(
  node: OnnxNode,
  weight: OnnxTensor,
  initializers: ReadonlyMap<string, OnnxTensor>,
  context: TilingContext,
  grain: Grain,
): Tiling | undefined {
  const [, , bias, sum] = node.inputs;
  const rows = weight.dims[0] ?? 0;
  const [output] = node.outputs;
  if (!output || Number(intAttribute(node, 'group', 1n)) !== 1) return undefined;
  // y = x + conv(x): a tile would need all of x and a slice of it under one name.
  if (sum && sum === node.inputs[0]) return undefined;
  if (bias && initializers.get(bias)?.dims[0] !== rows) return undefined;
  const outputShape = context.shapes.get(output);
  // A slice of a sum operand is contiguous only within one image; outputs of several can be joined.
  if (!outputShape || (sum && outputShape[0] !== 1)) return undefined;
  return finish(
    { weight: weight.name, output, transpose: false, rows, outputAxis: 1, outputShape },
    weight,
    grain,
    bias,
    sum,
  );
}

function gemmTiling(
  node: OnnxNode,
  weight: OnnxTensor,
  initializers: ReadonlyMap<string, OnnxTensor>,
  context: TilingContext,
): Tiling | undefined {
  const [a, , bias] = node.inputs;
  const [output] = node.outputs;
  if (!output || !context.shapes.has(output) || Number(intAttribute(node, 'transA', 0n)) !== 0)
    return undefined;
  const transpose = Number(intAttribute(node, 'transB', 0n)) === 0;
  const rows = weight.dims[transpose ? 1 : 0] ?? 0;
  const biasTensor = bias ? initializers.get(bias) : undefined;
  // A column of biases has as many elements when the product is square, but does not split with the columns.
  if (bias && (!biasTensor || elementCount(biasTensor.dims) !== rows || biasTensor.dims.at(-1) !== rows)) {
    return undefined;
  }
  if (transpose) setAttribute(node, { name: 'transB', type: 'int', value: 1n });
  const grain = productGrain(node, context.shapes.get(a ?? '')?.[0], rows, context);
  const outputShape = context.shapes.get(output) ?? [];
  return finish(
    { weight: weight.name, output, transpose, rows, outputAxis: -1, outputShape },
    weight,
    grain,
    bias,
    undefined,
  );
}

function matMulTiling(node: OnnxNode, weight: OnnxTensor, context: TilingContext): Tiling | undefined {
  const [a] = node.inputs;
  const [output] = node.outputs;
  const shape = context.shapes.get(a ?? '');
  if (!output || !shape) return undefined;
  if (['transBatchA', 'transBatchB'].some((name) => Number(intAttribute(node, name, 0n)) !== 0))
    return undefined;
  const transpose = Number(intAttribute(node, 'transB', 0n)) === 0;
  const rows = weight.dims[transpose ? 1 : 0] ?? 0;
  if (transpose) {
    node.opType = 'FusedMatMul';
    node.domain = 'com.microsoft';
    setAttribute(node, { name: 'transB', type: 'int', value: 1n });
  }
  const isPlain = Number(intAttribute(node, 'transA', 0n)) === 0 && shape.every((dim) => dim > 0);
  const grain = productGrain(node, isPlain ? elementCount(shape.slice(0, -1)) : undefined, rows, context);
  const outputShape = context.shapes.get(output) ?? [];
  return finish(
    { weight: weight.name, output, transpose, rows, outputAxis: -1, outputShape },
    weight,
    grain,
    undefined,
    undefined,
  );
}

/**
 * The grain at which tiles have the bits of the whole product. A tile that is wider than high, yet gives a thread less
 * than 128 columns, would differ; with enough rows there is none.
 * @param height rows of the product; undefined where they are not known. @param width columns of all tiles.
 */
function productGrain(
  node: OnnxNode,
  height: number | undefined,
  width: number,
  context: TilingContext,
): Grain {
  const isScaled = ['alpha', 'beta'].some((name) => (findAttribute(node, name, 'float') ?? 1) !== 1);
  if (height === 1 && !isScaled) return { block: COLUMNS_OF_VECTOR, minRows: COLUMNS_OF_VECTOR };
  const isEven = width % COLUMNS_PER_THREAD === 0;
  const isHigh =
    height !== undefined && height >= COLUMNS_PER_THREAD * (isEven ? context.threads - 1 : context.threads);
  // One row has no rows to share.
  const block = isHigh && height > 1 ? COLUMNS_PER_THREAD : COLUMNS_PER_THREAD * context.threads;
  return { block, minRows: block };
}

/** The unit is the smallest multiple of `block` rows whose bytes end on a direct I/O boundary. */
function finish(
  base: Pick<Tiling, 'weight' | 'output' | 'transpose' | 'rows' | 'outputAxis' | 'outputShape'>,
  weight: OnnxTensor,
  { block, minRows }: Grain,
  bias: string | undefined,
  sum: string | undefined,
): Tiling {
  const rowBytes = tensorDataBytes(weight) / base.rows;
  const alignedRows = DIRECT_ALIGNMENT / greatestCommonDivisor(DIRECT_ALIGNMENT, rowBytes);
  const unitRows = (block * alignedRows) / greatestCommonDivisor(block, alignedRows);
  const tiling: Tiling = { ...base, rowBytes, unitRows, minRows };
  return { ...tiling, ...(bias ? { bias } : {}), ...(sum ? { sum } : {}) };
}

function hasWidePlane(node: OnnxNode, context: TilingContext): boolean {
  const shape = context.shapes.get(node.outputs[0] ?? '');
  return shape !== undefined && elementCount(shape.slice(2)) >= COLUMNS_PER_THREAD * context.threads;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
