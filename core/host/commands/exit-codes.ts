import { ENGINE_REFUSAL_EXIT_CODE, isNewerStore } from '../../contract';
import type { ErrorCode, SluiceError } from '../../contract';

/** What the shell is told. */
export const EXIT = { done: 0, failed: 1, badInput: 2, cancelled: 130 } as const;

/** Errors the caller can only mend by asking differently: another file, name, option or budget. */
const BAD_INPUT: readonly ErrorCode[] = ['bad-input', 'bad-model', 'not-found', 'budget-too-small'];

/** @param isService it is started again when it fails, but for codes that its unit names in RestartPreventExitStatus. */
export function exitCodeOf(error: SluiceError, isService: boolean): number {
  const { code } = error;
  if (isService && isNewerStore(error)) return ENGINE_REFUSAL_EXIT_CODE;
  if (code === 'cancelled') return EXIT.cancelled;
  return BAD_INPUT.includes(code) ? EXIT.badInput : EXIT.failed;
}
