export interface ScoredSubmission {
  readonly id: number;
  readonly user: string;
  readonly score: number;
  /** Since the Unix epoch. */
  readonly submittedMs: number;
}

export interface BoardRow {
  /** Equal scores share a rank, and the next one counts them all: 1, 2, 2, 4. */
  readonly rank: number;
  readonly user: string;
  readonly score: number;
  /** Of the submission that reached it first. */
  readonly submittedMs: number;
  /** How many of the user's were scored. */
  readonly submissions: number;
}

/** A row of whoever asks. */
export interface OwnBoardRow extends BoardRow {
  /** What reached the score; of the asking user's row alone. */
  readonly runId?: string;
}

/** The best of each user, the best first; of equals whoever was earlier. */
export function rankBoard(
  scored: readonly ScoredSubmission[],
  direction: 'max' | 'min',
): readonly BoardRow[] {
  const sign = direction === 'max' ? -1 : 1;
  const order = [...scored].sort(
    (a, b) => sign * (a.score - b.score) || a.submittedMs - b.submittedMs || a.id - b.id,
  );
  const counts = new Map<string, number>();
  for (const { user } of scored) counts.set(user, (counts.get(user) ?? 0) + 1);
  const board: BoardRow[] = [];
  const seen = new Set<string>();
  for (const { user, score, submittedMs } of order) {
    if (seen.has(user)) continue;
    seen.add(user);
    const above = board.at(-1);
    const rank = above?.score === score ? above.rank : board.length + 1;
    board.push({ rank, user, score, submittedMs, submissions: counts.get(user) ?? 0 });
  }
  return board;
}
