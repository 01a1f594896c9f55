import type { Variant } from './schema';

const SLIM = 'github.com/tensorflow/models, research/slim/nets/mobilenet_v1.md';
const HOSTED = 'tensorflow.org/lite/guide/hosted_models';

/** 224 x 224 RGB, a byte each. */
const PAYLOAD_BYTES = 150_528;

interface Row {
  readonly width: string;
  readonly mMacs: number;
  readonly parameters: number;
  readonly floatPct: number;
  readonly int8Pct: number;
  /** The other published figure for int8, of the converted TensorFlow Lite file. */
  readonly hostedInt8Pct: number;
}

const ROWS: readonly Row[] = [
  { width: '1.0', mMacs: 569, parameters: 4_231_976, floatPct: 89.9, int8Pct: 89.5, hostedInt8Pct: 89.0 },
  { width: '0.75', mMacs: 317, parameters: 2_585_560, floatPct: 88.2, int8Pct: 88.1, hostedInt8Pct: 86.9 },
  { width: '0.50', mMacs: 150, parameters: 1_331_592, floatPct: 84.9, int8Pct: 84.5, hostedInt8Pct: 83.2 },
  { width: '0.25', mMacs: 41, parameters: 470_072, floatPct: 74.2, int8Pct: 73.8, hostedInt8Pct: 72.8 },
];

/**
 * MobileNetV1-224: d0 to d3 are fp32 at widths 1.0 to 0.25, d4 to d7 the same in int8. Top-5 accuracies on ImageNet.
 * @param int8Accuracies which of the two published sets the int8 variants carry.
 */
export function mobilenetVariants(int8Accuracies: 'slim' | 'hosted' = 'slim'): Variant[] {
  const float = ROWS.map((row, index): Variant => ({
    ...common(row),
    id: `d${index}`,
    title: `MobileNetV1 ${row.width} fp32`,
    accuracyPct: row.floatPct,
    precision: 'fp32',
    weightBytes: row.parameters * 4,
    source: SLIM,
  }));
  const int8 = ROWS.map((row, index): Variant => ({
    ...common(row),
    id: `d${index + ROWS.length}`,
    title: `MobileNetV1 ${row.width} int8`,
    accuracyPct: int8Accuracies === 'slim' ? row.int8Pct : row.hostedInt8Pct,
    precision: 'int8',
    weightBytes: row.parameters,
    source: int8Accuracies === 'slim' ? SLIM : HOSTED,
  }));
  return [...float, ...int8];
}

function common({ mMacs }: Row): Pick<Variant, 'mMacs' | 'payloadBytes'> {
  return { mMacs, payloadBytes: PAYLOAD_BYTES };
}
