import { open } from 'node:fs/promises';

import { SluiceError } from '../../../contract';
import type { JobView } from '../../jobs/queue/job-ledger';

const TAIL_BYTES = 2_000;
const TAIL_LINES = 10;

/** Why a job that has ended gives nothing; undefined when it succeeded. @param lastLines of its output. */
export function jobFault(job: JobView, lastLines: string): SluiceError | undefined {
  const { state, reason = 'nobody said why', limitMs = Infinity, startedMs, endedMs } = job;
  const said = lastLines === '' ? '' : ` It wrote last: ${lastLines}`;
  switch (state) {
    case 'succeeded':
      return undefined;
    case 'failed':
      return new SluiceError('runtime', `The program failed: ${reason}.${said}`);
    case 'stopped': {
      const ranMs = startedMs === undefined || endedMs === undefined ? 0 : endedMs - startedMs;
      if (ranMs >= limitMs) return new SluiceError('timeout', `The program was ${reason}.${said}`);
      return new SluiceError('cancelled', `The job was ended: ${reason}. Submit again.`);
    }
    default:
      return new SluiceError('unavailable', `The job is ${state}: ${reason}. Submit again.`);
  }
}

/** The last few lines of a job's output; '' when there is none. */
export async function lastLinesOf(logFile: string): Promise<string> {
  const file = await open(logFile).catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(TAIL_BYTES),
      position: Math.max(0, size - TAIL_BYTES),
    });
    const lines = buffer.toString('utf8', 0, bytesRead).trim().split('\n');
    return lines.slice(-TAIL_LINES).join('\n');
  } finally {
    await file.close();
  }
}
