/** A value that must keep its bytes from the step that makes it to the last one that uses it. */
export interface Lifetime {
  readonly name: string;
  readonly byteLength: number;
  /** -1: present before the first step. */
  readonly firstStep: number;
  readonly lastStep: number;
}

export interface ArenaPlan {
  readonly byteLength: number;
  /** Bytes from the arena's start, by value name. */
  readonly offsets: ReadonlyMap<string, number>;
}

/** Vector loads and cache lines. */
const ALIGNMENT = 64;

/**
 * Places values in one block so that those alive at the same time never overlap: largest first, each at the lowest
 * free offset (the greedy-by-size order of Pisarchyk and Lee, 2020).
 */
export function planArena(lifetimes: readonly Lifetime[]): ArenaPlan {
  const placed: { lifetime: Lifetime; start: number; end: number }[] = [];
  const offsets = new Map<string, number>();
  let byteLength = 0;
  for (const lifetime of [...lifetimes].sort((a, b) => b.byteLength - a.byteLength)) {
    const rivals = placed
      .filter(
        ({ lifetime: other }) => other.firstStep <= lifetime.lastStep && lifetime.firstStep <= other.lastStep,
      )
      .sort((a, b) => a.start - b.start);
    let start = 0;
    for (const rival of rivals) {
      if (start + lifetime.byteLength <= rival.start) break;
      start = Math.max(start, Math.ceil(rival.end / ALIGNMENT) * ALIGNMENT);
    }
    const end = start + lifetime.byteLength;
    placed.push({ lifetime, start, end });
    offsets.set(lifetime.name, start);
    byteLength = Math.max(byteLength, end);
  }
  return { byteLength, offsets };
}
