import type { ErrorCode } from '../../contract';

/** What the shell is told. */
export const EXIT = { done: 0, failed: 1, badInput: 2, cancelled: 130 } as const;

/** Errors the caller can only mend by asking differently: another file, name, option or budget. */
const BAD_INPUT: readonly ErrorCode[] = ['bad-input', 'bad-model', 'not-found', 'budget-too-small'];

export function exitCodeOf(code: ErrorCode): number {
  if (code === 'cancelled') return EXIT.cancelled;
  return BAD_INPUT.includes(code) ? EXIT.badInput : EXIT.failed;
}
