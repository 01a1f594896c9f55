import type { IncomingMessage } from 'node:http';

import { newToken } from './access-tokens';
import type { AccessTokens } from './access-tokens';

/**
 * Decides who may talk to the host. On loopback three strangers remain: web pages of other origins (told by `Origin`),
 * pages whose name was rebound to 127.0.0.1 (told by `Host`), and other users of the machine (who know no token).
 * Browsers bring a session's cookie; programs, which send no `Origin`, bring the token itself.
 */
export class SessionGuard {
  private readonly session = newToken();

  /** @param port the server's, known once it listens. */
  constructor(
    private readonly port: () => number,
    private readonly tokens: AccessTokens,
  ) {}

  /** Origins of the console's own pages. */
  private origins(): readonly string[] {
    return this.hosts().map((host) => `http://${host}`);
  }

  private hosts(): readonly string[] {
    const port = this.port();
    return [`127.0.0.1:${port}`, `localhost:${port}`];
  }

  /** Whether the request was made for this host by name, and not by another site's page. */
  isOurOrigin({ headers }: IncomingMessage): boolean {
    const { host, origin } = headers;
    if (host === undefined || !this.hosts().includes(host)) return false;
    return origin === undefined || this.origins().includes(origin);
  }

  /** Why a socket or an upload is refused; undefined when it is not. A cookie counts from our page only. */
  refusal(request: IncomingMessage): string | undefined {
    const bearer = bearerOf(request);
    if (bearer !== undefined) return this.isToken(bearer) ? undefined : 'The token is wrong.';
    if (request.headers.origin === undefined)
      return 'A token is missing: send "Authorization: Bearer TOKEN".';
    return this.hasSession(request) ? undefined : 'There is no session: log in first.';
  }

  hasSession(request: IncomingMessage): boolean {
    const bearer = bearerOf(request);
    if (bearer !== undefined) return this.isToken(bearer);
    const name = `${this.cookieName()}=`;
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
    const value = cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length);
    return value !== undefined && value === this.session;
  }

  isToken(value: string): boolean {
    return this.tokens.matching(value) !== undefined;
  }

  /** Cookies are shared between ports of a host, hence the port in the name. */
  cookie(): string {
    return `${this.cookieName()}=${this.session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  private cookieName(): string {
    return `sluice-session-${this.port()}`;
  }
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}
