import type { IncomingMessage } from 'node:http';

import { SluiceError } from '../../contract';
import type { HostClock } from '../host-clock';

/** Of a form with one field, a token. */
const MAX_FORM_BYTES = 8 << 10;
const MAX_WAIT_MS = 10_000;
const FORM_MIME = 'application/x-www-form-urlencoded';

/** @throws SluiceError `bad-input` for another type of body, or one that is too large or breaks off. */
export async function readForm(request: IncomingMessage, clock: HostClock): Promise<URLSearchParams> {
  const mime = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (mime !== FORM_MIME) {
    throw new SluiceError('bad-input', `Expected a form (${FORM_MIME}), found ${JSON.stringify(mime)}.`);
  }
  const stopWaiting = clock.after(MAX_WAIT_MS, () => request.destroy());
  try {
    return new URLSearchParams((await bodyOf(request)).toString('utf8'));
  } finally {
    stopWaiting();
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_FORM_BYTES) {
      throw new SluiceError('bad-input', `Expected a form of at most ${MAX_FORM_BYTES} bytes, found more.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
