/** Turns readings of a growing counter into a rate. */
export class CounterRate {
  #value = NaN;
  #atMs = NaN;

  /**
   * @returns units per second since the previous call; NaN on the first call, after a counter went back
   * (device replaced, 32-bit wrap) and when no time has passed.
   */
  next(value: number, atMs: number): number {
    const elapsedMs = atMs - this.#atMs;
    const gained = value - this.#value;
    this.#value = value;
    this.#atMs = atMs;
    return elapsedMs > 0 && gained >= 0 ? (gained * 1000) / elapsedMs : NaN;
  }

  reset(): void {
    this.#value = NaN;
    this.#atMs = NaN;
  }
}
