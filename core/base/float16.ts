/** Decodes IEEE 754 binary16 bits. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const double = new Float64Array(1);
/** Its sign and exponent; every platform ONNX Runtime has is little-endian. */
const highWord = new Uint32Array(double.buffer).subarray(1);
/** What a normal number of an exponent is counted in, from exponent -14 on. */
const STEPS = Float64Array.from({ length: 30 }, (_, index) => 2 ** (index - 24));

/** Encodes a number as IEEE 754 binary16 bits, to nearest, ties to even; overflow gives infinity. */
export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  double[0] = magnitude;
  const exponent = Math.max(-14, (highWord[0]! >>> 20) - 1023);
  const steps = roundHalfEven(magnitude / STEPS[exponent + 14]!);
  // A subnormal has fewer than 1024 steps and a zero exponent field; a carry past 2047 walks into the next exponent.
  return steps < 1024 ? sign | steps : sign | (((exponent + 15) << 10) + (steps - 1024));
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
