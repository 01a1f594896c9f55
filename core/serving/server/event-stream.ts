import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { SluiceError } from '../../contract';

/** Marks the end of a stream in OpenAI's API: without it something is missing. */
const DONE = 'data: [DONE]\n\n';

/**
 * Server-sent events of JSON documents (WHATWG HTML, "Server-sent events"). The response begins with the first event,
 * so that what fails before has a status of its own.
 */
export class EventStream {
  /**
   * @param stallMs a client that takes nothing of what was written for that long is cut off: others wait for the
   *   model that waits for it.
   */
  constructor(
    private readonly response: ServerResponse,
    private readonly stallMs: number,
  ) {}

  get hasBegun(): boolean {
    return this.response.headersSent;
  }

  /** Waits while the client takes less than it is sent. @throws SluiceError `cancelled` when it is gone. */
  async send(document: object): Promise<void> {
    const { response } = this;
    if (response.destroyed) throw gone();
    if (!this.hasBegun) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
      });
    }
    if (!response.write(`data: ${JSON.stringify(document)}\n\n`)) await this.drained();
  }

  /** All was sent. */
  done(): void {
    if (!this.response.destroyed) this.response.end(DONE);
  }

  /** Something went wrong: the last event tells what. */
  fail(document: object): void {
    if (!this.response.destroyed) this.response.end(`data: ${JSON.stringify(document)}\n\n`);
  }

  private async drained(): Promise<void> {
    const { response } = this;
    const settled = new AbortController();
    const { signal } = settled;
    const timer = setTimeout(() => response.destroy(), this.stallMs);
    try {
      await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
    } finally {
      clearTimeout(timer);
      settled.abort();
    }
    if (response.destroyed) throw gone();
  }
}

function gone(): SluiceError {
  return new SluiceError('cancelled', 'Whoever asked is gone.');
}
