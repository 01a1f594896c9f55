import { SluiceError } from '../../contract';
import { isLinkLost, isRemoteInTrouble } from './remote-http';
import type { ChangedRun, Positions } from './positions';
import type { Refusal, Remote } from './remote-types';

/** So many runs in a row that the remote fails at: it is the remote, not the runs. */
const MOST_TROUBLES = 3;

/**
 * Sends each of some things; what the remote refuses of one does not hold up the others.
 * @param onRefused is told why. @throws SluiceError when going on is no use: a lost link, a refused token, a remote in trouble.
 */
export async function sendEach<T>(
  items: readonly T[],
  send: (item: T) => Promise<void>,
  onRefused: (item: T, error: SluiceError) => void,
): Promise<void> {
  let troubles = 0;
  for (const item of items) {
    try {
      await send(item);
      troubles = 0;
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (endsPass(error)) throw error;
      onRefused(item, error);
      troubles = isRemoteInTrouble(error) ? troubles + 1 : 0;
      if (troubles === MOST_TROUBLES) throw error;
    }
  }
}

function endsPass(error: SluiceError): boolean {
  return (
    isLinkLost(error) || ['unauthorized', 'cancelled', 'overloaded', 'io', 'internal'].includes(error.code)
  );
}

/**
 * Sends the runs that have changed; one that is refused waits for the next pass.
 * @param settle brings metrics to where the sender finds them. @returns the refusals.
 */
export async function sendChangedRuns(
  { remote, positions }: { readonly remote: Remote; readonly positions: Positions },
  settle: () => void,
  send: (run: ChangedRun) => Promise<void>,
): Promise<readonly Refusal[]> {
  const refused: Refusal[] = [];
  const changed = positions.changedRuns(remote);
  // After the revisions were read: a point that comes later makes a new one.
  settle();
  await sendEach(changed, send, ({ run, runId }, { message }) => {
    refused.push({ what: runId, reason: message });
    positions.setRefused(remote, run, message);
  });
  return refused;
}
