import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import type { ClientRequestArgs } from 'node:http';
import { connect as connectTls } from 'node:tls';

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

/** No certificate of an authority, and what OpenSSL says of it; the user can act on all of them, and a retry can't. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA)/;

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
          rejectUnauthorized: pinned === undefined,
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
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      const found = 'getPeerCertificate' in socket ? socket.getPeerCertificate().fingerprint256 : '';
      settle(pinned === undefined || found === pinned ? null : otherCertificate(pinned, found));
    });
    return undefined;
  };
}

function otherCertificate(expected: string, found: string): SluiceError {
  return new SluiceError(
    'unauthorized',
    `It shows another certificate: expected SHA-256 ${expected}, found ${found || 'none'}. If its certificate was ` +
      'replaced, enter the new fingerprint that "sluice host" prints there; if not, somebody stands between.',
  );
}

/** Why no connection came about, and whether it is the user who must act. */
export function connectionFault(thrown: Error): { readonly isRefusal: boolean; readonly reason: string } {
  if (thrown instanceof SluiceError)
    return { isRefusal: thrown.code === 'unauthorized', reason: thrown.message };
  const { code = '' } = thrown as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code)) {
    const reason =
      `No authority known here vouches for its certificate (${code}). Enter its SHA-256 fingerprint, which ` +
      '"sluice host" prints there.';
    return { isRefusal: true, reason };
  }
  // Of several addresses tried, Node gives the code and an empty message.
  return { isRefusal: false, reason: `Can't be reached: ${thrown.message || code}.` };
}
