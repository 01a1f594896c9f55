/** In how many rounds each weight of a linear model had a part, so that predictions from too little can be told. */
export class Familiarity {
  private readonly rounds: Uint32Array;
  private readonly lastRound: Uint32Array;
  private round = 0;

  constructor(size: number) {
    this.rounds = new Uint32Array(size);
    this.lastRound = new Uint32Array(size);
  }

  /** As if the weight had had a part in so many. */
  credit(at: number, rounds: number): void {
    this.rounds[at] = Math.max(this.rounds[at]!, rounds);
  }

  /** What is counted from here on belongs to another round. */
  beginRound(): void {
    this.round += 1;
  }

  /** Counts the round to each weight in `row`. @returns how many the least known of those had, this one included. */
  count(row: Float64Array): number {
    let least = Infinity;
    for (let at = 0; at < this.rounds.length; at += 1) {
      if (row[at] === 0) continue;
      if (this.lastRound[at] !== this.round) this.rounds[at]! += 1;
      this.lastRound[at] = this.round;
      least = Math.min(least, this.rounds[at]!);
    }
    return least;
  }
}
