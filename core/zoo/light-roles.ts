import type { OnnxNode } from '../onnx';
import type { Fill } from './seeded-tensor';

/** One place where a weight is used. */
export interface WeightUse {
  readonly node: OnnxNode;
  readonly inputIndex: number;
  /** Sizes of the weight as this node sees it (a Transpose on the way permutes them). */
  readonly dims: readonly number[];
  /** Operators that read this node's first output. */
  readonly nextOps: readonly string[];
}

const SMALL: Fill = { mean: 0, std: 0.05 };
const POSITIVE: Fill = { mean: 1, std: 0.1 };
const RESIDUAL_SCALE: Fill = { mean: 0.5, std: 0.05 };
const SLOPE: Fill = { mean: 0.15, std: 0.05 };
const UNIT: Fill = { mean: 0, std: 1 };

/** Constants of at least this many elements are weights even where the operator is not known. */
const LARGE_ELEMENTS = 1024;

/**
 * Values that keep activations at unit scale for a weight used this way; undefined when the constant is no
 * weight (a clip bound, a padding value, an exponent) and must stay what it is.
 */
export function fillForUse(use: WeightUse): Fill | undefined {
  const rule = RULES.get(use.node.opType);
  return rule ? rule(use) : fillForUnknown(use);
}

type Rule = (use: WeightUse) => Fill | undefined;

const NORMALIZATION: Rule = ({ inputIndex, nextOps }) => {
  if (inputIndex === 1) return nextOps.some(isAddition) ? RESIDUAL_SCALE : POSITIVE;
  if (inputIndex === 4) return POSITIVE;
  return inputIndex === 2 || inputIndex === 3 ? SMALL : undefined;
};

const CONVOLUTION: Rule = ({ inputIndex, dims, nextOps }) => {
  if (inputIndex === 2) return SMALL;
  return fanIn(product(dims.slice(1)), nextOps.some(isAddition) ? 0.5 : gainBefore(nextOps, 2));
};

/** Weights are [in, out / group, ...kernel]: every output pixel sees all kernel positions of its group's inputs. */
const TRANSPOSED_CONVOLUTION: Rule = ({ inputIndex, dims, node }) => {
  if (inputIndex === 2) return SMALL;
  const group = intOf(node, 'group', 1);
  return fanIn(((dims[0] ?? 1) / group) * product(dims.slice(2)), 2);
};

const GEMM: Rule = ({ inputIndex, dims, node, nextOps }) => {
  if (inputIndex === 2) return SMALL;
  const inputsFirst = inputIndex === 1 ? intOf(node, 'transB', 0) === 0 : intOf(node, 'transA', 0) === 1;
  return fanIn((inputsFirst ? dims[0] : dims.at(-1)) ?? 1, gainBefore(nextOps, 2));
};

const MATMUL: Rule = ({ inputIndex, dims, nextOps }) => {
  if (dims.length < 2) return fanIn(dims[0] ?? 1, 1);
  return fanIn((inputIndex === 0 ? dims.at(-1) : dims.at(-2)) ?? 1, gainBefore(nextOps, 1));
};

/** LSTM, GRU, RNN: W and R are [directions, gates, fan-in]; B is 3, the peepholes P of an LSTM are 7. */
const RECURRENT: Rule = ({ inputIndex, dims }) => {
  if (inputIndex === 1 || inputIndex === 2) return fanIn(dims.at(-1) ?? 1, 1);
  return inputIndex === 3 || inputIndex === 7 ? SMALL : undefined;
};

/** An elementwise constant of one element is part of a formula, not a weight. */
const ADDITION: Rule = ({ dims, nextOps }) => {
  if (product(dims) < 2) return undefined;
  return nextOps.some((op) => op === 'Sqrt' || op === 'Log') ? POSITIVE : SMALL;
};
const SCALING: Rule = ({ dims }) => (product(dims) < 2 ? undefined : POSITIVE);
const KEPT: Rule = () => undefined;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['BatchNormalization', NORMALIZATION],
  ['InstanceNormalization', NORMALIZATION],
  ['GroupNormalization', NORMALIZATION],
  ['LayerNormalization', NORMALIZATION],
  ['SimplifiedLayerNormalization', NORMALIZATION],
  ['RMSNormalization', NORMALIZATION],
  ['Conv', CONVOLUTION],
  ['ConvTranspose', TRANSPOSED_CONVOLUTION],
  ['Gemm', GEMM],
  ['MatMul', MATMUL],
  ['Einsum', MATMUL],
  ['LSTM', RECURRENT],
  ['GRU', RECURRENT],
  ['RNN', RECURRENT],
  ['PRelu', () => SLOPE],
  ['Gather', ({ inputIndex }) => (inputIndex === 0 ? UNIT : undefined)],
  ['Add', ADDITION],
  ['Sub', ADDITION],
  ['Sum', ADDITION],
  ['Mul', SCALING],
  ['Div', SCALING],
  ['Sqrt', SCALING],
  ['Log', SCALING],
  ['Pow', KEPT],
  ['Clip', KEPT],
  ['Pad', KEPT],
  ['Where', KEPT],
  ['Resize', KEPT],
  ['Upsample', KEPT],
]);

function fillForUnknown({ dims }: WeightUse): Fill | undefined {
  if (product(dims) < LARGE_ELEMENTS) return undefined;
  return dims.length < 2 ? SMALL : fanIn(dims.at(-2) ?? 1, 1);
}

/** Logits are kept small, or a softmax after a network that raised its scale is one 1 and underflowing zeros. */
function gainBefore(nextOps: readonly string[], usual: number): number {
  return nextOps.some((op) => op === 'Softmax' || op === 'LogSoftmax') ? 0.25 : usual;
}

function isAddition(op: string): boolean {
  return op === 'Add' || op === 'Sum';
}

function fanIn(count: number, gain: number): Fill {
  return { mean: 0, std: Math.sqrt(gain / Math.max(1, count)) };
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}

function intOf(node: OnnxNode, name: string, absent: number): number {
  const attribute = node.attributes.find((candidate) => candidate.name === name);
  return attribute?.type === 'int' ? Number(attribute.value) : absent;
}
