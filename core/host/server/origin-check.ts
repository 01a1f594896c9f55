import type { IncomingMessage } from 'node:http';

import { parseUrl } from '../../base';
import { isLoopback, ownNames, plainAddress } from './addresses';

export interface OriginCheckOptions {
  readonly port: () => number;
  readonly secure: boolean;
  /** `NAME` or `NAME:PORT`, beside the names and addresses that are the machine's own. */
  readonly allowedHosts: readonly string[];
  /** A proxy in front does TLS: it may listen on any port under an allowed name. */
  readonly behindProxy: boolean;
}

/**
 * Tells requests for this host from those that another site's page makes a browser send: the page's name may have been
 * rebound to this address (told by `Host`), or it may ask by our name (told by `Origin` and `Sec-Fetch-Site`).
 */
export class OriginCheck {
  private readonly names: ReadonlySet<string>;
  private readonly exact: ReadonlySet<string>;

  constructor(private readonly options: OriginCheckOptions) {
    const allowed = options.allowedHosts.map((host) => host.toLowerCase());
    this.names = new Set([...ownNames(), ...allowed]);
    this.exact = new Set(allowed.filter((host) => /:\d+$/.test(host)));
  }

  /** Why the request is refused; undefined when it is for this host and not by another site's page. */
  refusal(request: IncomingMessage): string | undefined {
    const { host, origin } = request.headers;
    if (host === undefined || !this.isOurs(host, request.socket.localAddress ?? '')) {
      return `Refused: this host goes by another name than ${JSON.stringify(host ?? '')}. Start it with --allowed-host NAME to add one.`;
    }
    if (origin !== undefined && !this.isOriginOf(origin, host)) {
      return 'Refused: a page of another origin asked.';
    }
    return isOfAnotherSite(request) ? 'Refused: a page of another site asked.' : undefined;
  }

  /** Requests that change something come from our own page, which browsers always name. */
  isOurPage({ headers: { host, origin } }: IncomingMessage): boolean {
    return host !== undefined && origin !== undefined && this.isOriginOf(origin, host);
  }

  /** @param localAddress where the connection came in: an address needs no list, and can't be rebound. */
  private isOurs(host: string, localAddress: string): boolean {
    if (this.exact.has(host.toLowerCase())) return true;
    const { port, secure, behindProxy } = this.options;
    const url = parseUrl(`${secure ? 'https' : 'http'}://${host}/`);
    if (url === undefined || url.host !== host.toLowerCase()) return false;
    const name = plainAddress(url.hostname);
    const given = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
    if (given !== port() && !behindProxy) return false;
    const local = plainAddress(localAddress);
    return name === local || this.names.has(name) || (name === 'localhost' && isLoopback(local));
  }

  private isOriginOf(origin: string, host: string): boolean {
    const schemes = this.options.behindProxy ? ['https', 'http'] : [this.options.secure ? 'https' : 'http'];
    return schemes.some((scheme) => origin === `${scheme}://${host.toLowerCase()}`);
  }
}

/** Pictures, scripts and frames of other sites tell no origin, but browsers tell that another site wants them. */
function isOfAnotherSite({ headers, method }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !(isLink && (method === 'GET' || method === 'HEAD'));
}
