/** What SentencePiece writes for a space. */
export const SPACE_MARK = '\u2581';

/**
 * SentencePiece's BPE merges whichever neighbours make the token with the best score; as a list of merges that is
 * every way to cut a token in two tokens, best score first (as transformers' `convert_slow_tokenizer.py` has it).
 * @param pieces token texts by id, scores beside them; ids in `skip` (control, byte, unused) never come of a merge.
 */
export function mergesFromScores(
  pieces: readonly string[],
  scores: ArrayLike<number>,
  skip: (id: number) => boolean,
): [left: string, right: string][] {
  const ids = new Map(pieces.flatMap((piece, id) => (skip(id) ? [] : [[piece, id] as const])));
  const merges: { left: string; right: string; score: number; leftId: number; rightId: number }[] = [];
  for (const [piece, id] of ids) {
    const letters = Array.from(piece);
    let left = '';
    for (let cut = 1; cut < letters.length; cut += 1) {
      left += letters[cut - 1]!;
      const right = piece.slice(left.length);
      const leftId = ids.get(left);
      const rightId = ids.get(right);
      if (leftId === undefined || rightId === undefined) continue;
      merges.push({ left, right, score: scores[id] ?? 0, leftId, rightId });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.leftId - b.leftId || a.rightId - b.rightId);
  return merges.map(({ left, right }) => [left, right]);
}
