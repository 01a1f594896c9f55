import { SluiceError } from '../../contract';
import { onCancel } from './context';
import type { CommandContext, Outcome } from './context';

/** A benchmark has no other way to stop than with its process. */
export function cancellable(context: CommandContext, work: Promise<Outcome>): Promise<Outcome> {
  const stopped = new Promise<never>((_resolve, reject) => {
    onCancel(context.signal, () => reject(new SluiceError('cancelled', 'The benchmark was cancelled.')));
  });
  return Promise.race([work, stopped]);
}
