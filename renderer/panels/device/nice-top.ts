/**
 * Top of an axis: the least round value above `high`, so that it and its half can be read. Bytes of memory are round in
 * powers of two, everything else in powers of ten.
 */
export function niceTop(high: number, binary: boolean): number {
  const steps = binary ? [1, 1.5, 2] : [1, 2, 4, 5, 8, 10];
  const power = binary ? 2 ** Math.floor(Math.log2(high)) : 10 ** Math.floor(Math.log10(high));
  return power * (steps.find((step) => step * power >= high) ?? 1);
}
