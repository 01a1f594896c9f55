import { best, type Scored } from './rungs';

interface Step {
  readonly trial: number;
  readonly startResource: number;
  readonly untilResource: number;
}

/**
 * One bracket of synchronous successive halving (Li et al. 2018, the inner loop of algorithm 1): all trials of a rung
 * end before the best 1/eta of them go on.
 */
export class HalvingBracket {
  /** Trials it begins with. */
  readonly width: number;
  private level = 0;
  private toBegin: number;
  private toPromote: number[] = [];
  private awaited: number;
  private entries: Scored[] = [];

  /** @param first the rung it begins at; 0 begins with the most trials. */
  constructor(
    private readonly rungs: readonly number[],
    private readonly first: number,
    private readonly eta: number,
  ) {
    // s of the paper: how often it halves.
    const halvings = rungs.length - 1 - first;
    this.width = Math.ceil((rungs.length / (halvings + 1)) * eta ** halvings);
    this.toBegin = this.width;
    this.awaited = this.width;
  }

  get untilResource(): number {
    return this.rungs[this.first + this.level] ?? 0;
  }

  get isAtTop(): boolean {
    return this.first + this.level === this.rungs.length - 1;
  }

  get isOver(): boolean {
    return this.awaited === 0;
  }

  /** @returns what to train next; undefined while it waits. */
  next(begin: () => number): Step | undefined {
    const startResource = this.level === 0 ? 0 : (this.rungs[this.first + this.level - 1] ?? 0);
    const { untilResource } = this;
    if (this.toBegin > 0) {
      this.toBegin -= 1;
      return { trial: begin(), startResource, untilResource };
    }
    const trial = this.toPromote.shift();
    return trial === undefined ? undefined : { trial, startResource, untilResource };
  }

  /** What its trials may take beyond what was handed out. */
  openCost(): number {
    const waiting = this.toBegin + this.toPromote.length;
    let cost = waiting * this.costAt(this.level);
    for (let level = this.level + 1; this.first + level < this.rungs.length; level += 1) {
      cost += this.widthAt(level) * this.costAt(level);
    }
    return cost;
  }

  private costAt(level: number): number {
    const until = this.rungs[this.first + level] ?? 0;
    return level === 0 ? until : until - (this.rungs[this.first + level - 1] ?? 0);
  }

  private widthAt(level: number): number {
    return Math.floor(this.width / this.eta ** level);
  }

  /** @returns the trials that go no further. */
  scored(trial: number, score: number): readonly number[] {
    this.entries.push({ trial, score });
    return this.arrived();
  }

  /** A trial ended before its rung. @returns the trials that go no further. */
  lost(): readonly number[] {
    return this.arrived();
  }

  private arrived(): readonly number[] {
    this.awaited -= 1;
    if (this.awaited > 0) return [];
    const { entries, isAtTop } = this;
    if (isAtTop) return [];
    this.level += 1;
    this.entries = [];
    this.toPromote = best(entries, this.widthAt(this.level)).map(({ trial }) => trial);
    this.awaited = this.toPromote.length;
    return entries.map(({ trial }) => trial).filter((trial) => !this.toPromote.includes(trial));
  }
}
