/** Hues that stay apart for colour-blind people, by a run's place among those that are compared; they come again. */
const TOKENS = [
  '--read',
  '--send',
  '--compute',
  '--receive',
  '--draft',
  '--wait',
  '--verify',
  '--gpu',
  '--rejected',
  '--resident',
] as const;

export function runToken(index: number): string {
  return TOKENS[index % TOKENS.length] ?? '--text';
}

const DASHES = [[], [6, 3], [2, 3]] as const;

/** Beyond the hues, lines are told apart by their dashes. */
export function runDash(index: number): readonly number[] {
  return DASHES[Math.floor(index / TOKENS.length) % DASHES.length] ?? [];
}
