import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

import { shownName, SluiceError } from '../../contract';

/**
 * Without this, any site that the user of this machine visits could use a server here. Pages tell their origin when they post;
 * for what they only load, browsers tell that a page wants it. A page whose own name was rebound to this address tells neither
 * on a plain connection: what it can't change is the name it asks by. With a token that does not matter, the page has none.
 * @param isOpen whether no token is asked for.
 * @throws SluiceError `unauthorized`.
 */
export function refuseWebPages(headers: IncomingHttpHeaders, isOpen: boolean): void {
  const { origin, host } = headers;
  if (origin !== undefined) {
    throw new SluiceError(
      'unauthorized',
      `This server is not for web pages; one of ${shownName(origin)} asked.`,
    );
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none') {
    throw new SluiceError('unauthorized', 'This server is not for web pages; one asked.');
  }
  if (!isOpen || host === undefined || isOwnName(host)) return;
  throw new SluiceError(
    'unauthorized',
    `Expected a request for localhost or an address, found one for ${shownName(host)}. Ask by the address, or start the server with a token.`,
  );
}

/** Addresses and `localhost`: no name server decides where they lead. */
function isOwnName(host: string): boolean {
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return isIP(name) !== 0 || /^([\w-]+\.)*localhost$/.test(name);
}
