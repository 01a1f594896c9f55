/** The last items added, as many as together hold at most `capacity` measurements, but at least one. */
export class SlidingWindow<Item extends { readonly measurements: number }> {
  private held: Item[] = [];
  private measurements = 0;

  constructor(private readonly capacity: number) {}

  /** Oldest first. */
  get items(): readonly Item[] {
    return this.held;
  }

  /** @returns what has no more room, oldest first. */
  add(item: Item): readonly Item[] {
    this.held.push(item);
    this.measurements += item.measurements;
    let dropped = 0;
    while (this.measurements > this.capacity && dropped < this.held.length - 1) {
      this.measurements -= this.held[dropped]!.measurements;
      dropped += 1;
    }
    return dropped > 0 ? this.held.splice(0, dropped) : NONE;
  }

  /** Drops all but the last `count`. */
  keepLast(count: number): void {
    this.held = this.held.slice(Math.max(0, this.held.length - count));
    this.measurements = this.held.reduce((sum, item) => sum + item.measurements, 0);
  }
}

const NONE: readonly never[] = [];
