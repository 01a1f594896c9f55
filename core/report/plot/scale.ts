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

/** As `linearScale`, by powers of ten; the span has to be above zero. */
export function logScale({ low, high }: Span, from: number, to: number): Scale {
  const start = Math.floor(Math.log10(low) + 1e-9);
  const end = Math.max(start + 1, Math.ceil(Math.log10(high) - 1e-9));
  const every = Math.ceil((end - start) / 6);
  const ticks = Array.from(
    { length: Math.floor((end - start) / every) + 1 },
    (_none, index) => 10 ** (start + index * every),
  );
  return {
    at: (value) => from + ((Math.log10(value) - start) / (end - start)) * (to - from),
    ticks,
    isLog: true,
  };
}

/** A coordinate with one decimal: finer is not seen, and files stay small. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
