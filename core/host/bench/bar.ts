/** A promise of the issue, what came out, and whether it was kept. */
export interface Bar {
  readonly bar: string;
  readonly target: string;
  readonly value: number;
  readonly met: boolean;
  /** The rows that decide it. */
  readonly worst?: string;
}

/** Three decimals. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Judges by the row with the greatest figure, which may reach the limit. NaN when there are no rows. */
export function worstOf<Row>(
  bar: string,
  target: string,
  rows: readonly Row[],
  judge: {
    readonly figure: (row: Row) => number;
    readonly limit: number;
    readonly name: (row: Row) => string;
  },
): Bar {
  const [row] = [...rows].sort((a, b) => judge.figure(b) - judge.figure(a));
  const value = row === undefined ? Number.NaN : round(judge.figure(row));
  return {
    bar,
    target,
    value,
    met: value <= judge.limit,
    ...(row === undefined ? {} : { worst: judge.name(row) }),
  };
}
