import type { FastifyReply } from 'fastify';

/**
 * Aborts once the answer is done with: whoever asked has it, or is gone. It is the answer that is listened to, not its
 * connection, which serves many requests and would gather a listener for each.
 */
export function clientGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}
