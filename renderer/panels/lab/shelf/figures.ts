/** As many decimals for each of a column's figures, so that they can be compared. */
export function decimalsFor(values: readonly number[]): number {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.every((value) => Number.isInteger(value))) return 0;
  const largest = Math.max(...finite.map(Math.abs));
  return largest >= 1000 ? 1 : largest >= 100 ? 2 : largest >= 10 ? 3 : 4;
}
