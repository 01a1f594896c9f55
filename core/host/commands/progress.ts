import { formatBytes } from '../../base';
import { printable } from '../../contract';
import type { EventBus } from '../event-bus';

export interface ShownProgress {
  readonly show: (phase: string, doneBytes: number, totalBytes: number) => void;
  readonly end: () => void;
}

/** Shows the progress of one thing: a line that changes in a terminal, a line for each phase elsewhere. */
export function showProgress(subject: string, stream: NodeJS.WriteStream): ShownProgress {
  let shown = '';
  return {
    show: (phase, doneBytes, totalBytes) => {
      const share = totalBytes > 0 ? ` ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}` : '';
      const said = printable(`${subject}: ${phase}`);
      if (stream.isTTY) stream.write(`\r\x1b[K${said}${share}`);
      else if (phase !== shown) stream.write(`${said}\n`);
      shown = phase;
    },
    end: () => {
      if (stream.isTTY && shown !== '') stream.write('\r\x1b[K');
    },
  };
}

/**
 * Shows the progress of jobs on stderr.
 * @returns ends it.
 */
export function showJobs(bus: EventBus, stream: NodeJS.WriteStream): () => void {
  const progressOf = new Map<string, ShownProgress>();
  const end = bus.subscribe((message) => {
    if (message.event !== 'job') return;
    const { subject, phase, doneBytes, totalBytes, state } = message.payload;
    if (state !== 'running') return;
    const progress = progressOf.get(subject) ?? showProgress(subject, stream);
    progressOf.set(subject, progress);
    progress.show(phase, doneBytes, totalBytes);
  });
  return () => {
    end();
    for (const progress of progressOf.values()) progress.end();
  };
}
