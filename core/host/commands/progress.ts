import { formatBytes } from '../../base';
import type { EventBus } from '../event-bus';

/**
 * Shows the progress of jobs on stderr: a line that changes in a terminal, a line for each phase elsewhere.
 * @returns ends it.
 */
export function showJobs(bus: EventBus, stream: NodeJS.WriteStream): () => void {
  let shown = '';
  const end = bus.subscribe((message) => {
    if (message.event !== 'job') return;
    const { subject, phase, doneBytes, totalBytes, state } = message.payload;
    if (state !== 'running') return;
    const share = totalBytes > 0 ? ` ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}` : '';
    if (stream.isTTY) stream.write(`\r\x1b[K${subject}: ${phase}${share}`);
    else if (phase !== shown) stream.write(`${subject}: ${phase}\n`);
    shown = phase;
  });
  return () => {
    end();
    if (stream.isTTY && shown !== '') stream.write('\r\x1b[K');
  };
}
