export interface Scored {
  readonly trial: number;
  readonly score: number;
}

/** `min`, `min * eta`, ... below `max`, and `max`: where trials are compared. */
export function rungsOf(min: number, max: number, eta: number): readonly number[] {
  const rungs: number[] = [];
  for (let rung = min; rung < max; rung *= eta) rungs.push(rung);
  return [...rungs, max];
}

/** Best first; of equals the one that was tried earlier. */
export function ranked(entries: readonly Scored[]): Scored[] {
  return [...entries].sort((a, b) => (a.score === b.score ? a.trial - b.trial : b.score - a.score));
}

/** The `count` best that did not diverge. */
export function best(entries: readonly Scored[], count: number): readonly Scored[] {
  return ranked(entries)
    .slice(0, count)
    .filter(({ score }) => score > -Infinity);
}
