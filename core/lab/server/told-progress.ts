import { Readable } from 'node:stream';

import type { FastifyReply } from 'fastify';

import { SluiceError } from '../../contract';
import type { LongWork } from '../datasets/tree/tree-store';
import { clientGone } from './client-gone';

/** Between two lines of progress. */
const TOLD_EVERY_MS = 100;

/**
 * Answers a request with lines of JSON: `{"doneBytes", "totalBytes"}` while the work goes on, at last its result or
 * `{"error": {"code", "message"}}`, since the status has been sent by then. The work is cancelled when whoever asked is
 * gone.
 */
export function tellProgress(
  reply: FastifyReply,
  nowMs: () => number,
  work: (work: LongWork) => Promise<object>,
): FastifyReply {
  const lines = new Readable({ read: () => undefined });
  const tell = (line: object): void => void lines.push(`${JSON.stringify(line)}\n`);
  let toldMs = -Infinity;
  const onProgress: LongWork['onProgress'] = (progress) => {
    if (nowMs() - toldMs < TOLD_EVERY_MS) return;
    toldMs = nowMs();
    tell(progress);
  };
  void work({ signal: clientGone(reply), onProgress })
    .catch((thrown: unknown) => {
      const { code, message } = SluiceError.from(thrown);
      return { error: { code, message } };
    })
    .then((last) => {
      tell(last);
      lines.push(null);
    });
  return reply.type('application/x-ndjson').send(lines);
}
