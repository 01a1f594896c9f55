/** A number's place along an axis, and the ticks that name places. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
  readonly isLog: boolean;
}

export interface Span {
  readonly low: number;
  readonly high: number;
}

/** The least and greatest finite value; without any, 0 to 1. */
export function spanOf(values: Iterable<number>): Span {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? { low: 0, high: 1 } : { low, high };
}

/** From `from` to `to` in picture units, over round numbers that hold the span. */
export function linearScale({ low, high }: Span, from: number, to: number, wanted = 5): Scale {
  const room = high > low ? high - low : Math.abs(high) || 1;
  const raw = room / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil((high > low ? high : low + room) / step - 1e-9));
  const start = first * step;
  const end = last * step;
  const ticks = Array.from({ length: last - first + 1 }, (_none, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  return { at: (value) => from + ((value - start) / (end - start)) * (to - from), ticks, isLog: false };
}

/** As `linearScale`, by powers of ten, little beyond the span; it has to be above zero. */
export function logScale({ low, high }: Span, from: number, to: number): Scale {
  const pad = Math.max(0.02, 0.03 * Math.log10(high / low));
  const start = Math.log10(low) - pad;
  const end = Math.log10(high) + pad;
  const first = Math.floor(start);
  const powers = Array.from({ length: Math.ceil(end) - first + 1 }, (_none, index) => first + index);
  const factors = end - start > 4 ? [1] : end - start > 1.3 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 8];
  const every = Math.max(1, Math.ceil(powers.length / 8));
  const ticks = powers
    .filter((_power, index) => factors.length > 1 || index % every === 0)
    .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(3))))
    .filter((tick) => Math.log10(tick) >= start && Math.log10(tick) <= end);
  return {
    at: (value) => from + ((Math.log10(value) - start) / (end - start)) * (to - from),
    ticks: ticks.length > 1 ? ticks : [low, high],
    isLog: true,
  };
}

/** A coordinate with one decimal: finer is not seen, and files stay small. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
