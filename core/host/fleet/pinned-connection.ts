import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import type { ClientRequestArgs } from 'node:http';
import { connect as connectTls, TLSSocket } from 'node:tls';

import { SluiceError } from '../../contract';

/** How a box is reached, and as whom. */
export interface BoxTarget {
  readonly url: string;
  readonly token: string | undefined;
  readonly certificateFingerprint: string | undefined;
}

export type CreateConnection = (
  options: ClientRequestArgs,
  done: (error: Error | null, socket: Socket) => void,
) => undefined;

/**
 * Makes the connections of requests to a box: to one with a fingerprint nothing is written before its certificate was
 * compared. Without a fingerprint an authority must vouch for it, as for any page.
 */
export function connectionTo(
  { url, certificateFingerprint: pinned }: BoxTarget,
  timeoutMs: number,
): CreateConnection {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  return (_options, done) => {
    const at = { host, port: Number(port) || (isTls ? 443 : 80) };
    const servername = /^[\d.]+$|:/.test(host) ? '' : host;
    const socket = isTls
      ? connectTls({
          ...at,
          servername,
          ALPNProtocols: ['http/1.1'],
          // Judged below, where the certificate is known that is judged.
          rejectUnauthorized: false,
        })
      : connectTcp(at);
    const settle = (error: Error | null): void => {
      socket.removeAllListeners('timeout');
      socket.setTimeout(0);
      socket.off('error', settle);
      if (error) socket.destroy();
      done(error, socket);
    };
    socket.once('error', settle);
    socket.setTimeout(timeoutMs, () => settle(new Error(`no answer for ${timeoutMs / 1000} s`)));
    if (socket instanceof TLSSocket) {
      socket.once('secureConnect', () => settle(certificateFault(socket, pinned) ?? null));
    } else socket.once('connect', () => settle(null));
    return undefined;
  };
}

/** A fingerprint that was seen belongs into the error: the operator compares it with what the box prints. */
function certificateFault(socket: TLSSocket, pinned: string | undefined): SluiceError | undefined {
  const found = socket.getPeerCertificate().fingerprint256 || 'none';
  if (pinned !== undefined) return found === pinned ? undefined : otherCertificate(pinned, found);
  if (socket.authorized) return undefined;
  return new SluiceError(
    'unauthorized',
    `No authority known here vouches for its certificate (${String(socket.authorizationError)}): expected one of an ` +
      `authority, found ${found} (SHA-256). Compare that with the fingerprint which "sluice host" prints there, and enter ` +
      'it if they are the same.',
    { found },
  );
}

function otherCertificate(expected: string, found: string): SluiceError {
  return new SluiceError(
    'unauthorized',
    `It shows another certificate: expected SHA-256 ${expected}, found ${found}. If its certificate was ` +
      'replaced, enter the new fingerprint that "sluice host" prints there; if not, somebody stands between.',
    { expected, found },
  );
}

/** Why no connection came about, and whether it is the user who must act. */
export function connectionFault(thrown: Error): { readonly isRefusal: boolean; readonly reason: string } {
  if (thrown instanceof SluiceError)
    return { isRefusal: thrown.code === 'unauthorized', reason: thrown.message };
  const { code = '' } = thrown as NodeJS.ErrnoException;
  // Of several addresses tried, Node gives the code and an empty message.
  return { isRefusal: false, reason: `Can't be reached: ${thrown.message || code}.` };
}
