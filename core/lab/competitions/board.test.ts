import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { rankBoard } from './board';

describe('the board', () => {
  const scored = fc.array(
    fc.record({
      user: fc.constantFrom('ann', 'ben', 'cem', 'dee', 'eve'),
      score: fc.integer({ min: 0, max: 4 }),
      submittedMs: fc.nat(5),
    }),
  );

  it('ranks the best of each user by how many users are better, the earlier of equals first', () => {
    fc.assert(
      fc.property(scored, fc.constantFrom('max', 'min'), (entries, direction) => {
        const all = entries.map((entry, id) => ({ id, ...entry }));
        const board = rankBoard(all, direction);
        const isBetter = (a: number, b: number): boolean => (direction === 'max' ? a > b : a < b);
        expect(board.map(({ user }) => user).sort()).toEqual(
          [...new Set(all.map(({ user }) => user))].sort(),
        );
        for (const [place, row] of board.entries()) {
          const own = all.filter(({ user }) => user === row.user);
          expect(own.some(({ score }) => isBetter(score, row.score))).toBe(false);
          const reached = own
            .filter(({ score }) => score === row.score)
            .map(({ submittedMs }) => submittedMs);
          expect(row.submittedMs).toBe(Math.min(...reached));
          expect(row.submissions).toBe(own.length);
          expect(row.rank).toBe(1 + board.filter(({ score }) => isBetter(score, row.score)).length);
          const below = board[place + 1];
          if (below?.rank === row.rank) expect(below.submittedMs).toBeGreaterThanOrEqual(row.submittedMs);
        }
        expect(rankBoard([...all].reverse(), direction)).toEqual(board);
      }),
    );
  });

  it('numbers ties 1, 2, 2, 4', () => {
    const scores = [0.5, 0.9, 0.7, 0.7];
    const entries = scores.map((score, id) => ({ id, user: `u${id}`, score, submittedMs: 10 - id }));
    expect(rankBoard(entries, 'max').map(({ rank, user }) => [rank, user])).toEqual([
      [1, 'u1'],
      [2, 'u3'],
      [2, 'u2'],
      [4, 'u0'],
    ]);
  });
});
