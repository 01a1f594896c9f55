/** The action values of one state, grown as actions are tried. */
export class ActionValues {
  /** Key of each tried action. */
  readonly keys: number[] = [];
  readonly values: number[] = [];
  readonly visits: number[] = [];
  private readonly slots = new Map<number, number>();
  /** Of the last `best` call: the greatest value among what it accepted, and a bound on all others accepted. */
  private bestSlot = -1;
  private othersBound = -Infinity;
  private bestFor: unknown;

  slotOf(key: number): number | undefined {
    return this.slots.get(key);
  }

  add(key: number, value: number, visits: number): number {
    const slot = this.keys.length;
    this.slots.set(key, slot);
    this.keys.push(key);
    this.values.push(value);
    this.visits.push(visits);
    this.bestFor = undefined;
    return slot;
  }

  /** Moves a value towards a target, by 1/visits and never less than `leastRate`. */
  learn(key: number, target: number, leastRate: number): void {
    const known = this.slots.get(key);
    if (known === undefined) {
      this.addLearned(key, target);
      return;
    }
    const visits = this.visits[known]! + 1;
    this.visits[known] = visits;
    const value = this.values[known]! + Math.max(leastRate, 1 / visits) * (target - this.values[known]!);
    this.values[known] = value;
    if (known === this.bestSlot) {
      if (value < this.othersBound) this.bestFor = undefined;
    } else if (value > this.othersBound) {
      // It may overtake, if it is among what the last call accepted; the next call looks.
      this.bestFor = value > (this.values[this.bestSlot] ?? -Infinity) ? undefined : this.bestFor;
      this.othersBound = value;
    }
  }

  /** @param purpose identifies `accepts`; with the same one as last time the answer is usually known. @returns -1 for none. */
  best(purpose: unknown, accepts: (key: number) => boolean): number {
    if (purpose === this.bestFor) return this.bestSlot;
    this.bestSlot = -1;
    this.othersBound = -Infinity;
    for (let slot = 0; slot < this.keys.length; slot += 1) {
      const value = this.values[slot]!;
      if (value <= this.othersBound) continue;
      if (!accepts(this.keys[slot]!)) continue;
      const bestValue = this.bestSlot < 0 ? -Infinity : this.values[this.bestSlot]!;
      if (value > bestValue) {
        this.othersBound = bestValue;
        this.bestSlot = slot;
      } else {
        this.othersBound = value;
      }
    }
    this.bestFor = purpose;
    return this.bestSlot;
  }

  /** A new action does not undo what is known of the best, unless it is better. */
  private addLearned(key: number, value: number): void {
    const purpose = this.bestFor;
    this.add(key, value, 1);
    if (this.bestSlot >= 0 && value <= this.values[this.bestSlot]!) {
      this.bestFor = purpose;
      this.othersBound = Math.max(this.othersBound, value);
    }
  }
}
