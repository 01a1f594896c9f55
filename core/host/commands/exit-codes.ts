import { ENGINE_REFUSAL_EXIT_CODE, isNewerStore } from '../../contract';
import type { ErrorCode, SluiceError } from '../../contract';

/** What the shell is told. */
export const EXIT = { done: 0, failed: 1, badInput: 2, cancelled: 130 } as const;

/** Errors the caller can only mend by asking differently: another file, name, option or budget. */
const BAD_INPUT: readonly ErrorCode[] = ['bad-input', 'bad-model', 'not-found', 'budget-too-small'];

export function exitCodeOf(error: SluiceError): number {
  const { code } = error;
  // A service that is refused its data folder must not be tried again and again: RestartPreventExitStatus in its unit.
  if (isNewerStore(error)) return ENGINE_REFUSAL_EXIT_CODE;
  if (code === 'cancelled') return EXIT.cancelled;
  return BAD_INPUT.includes(code) ? EXIT.badInput : EXIT.failed;
}
