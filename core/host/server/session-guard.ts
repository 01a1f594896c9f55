import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Decides who may talk to the host. It listens on loopback, where three strangers remain: web pages of other origins
 * (told by `Origin`), pages whose name was rebound to 127.0.0.1 (told by `Host`), and other users of the machine (who
 * do not know the token). The token comes once, in the address that `sluice host` prints, and then as a cookie.
 */
export class SessionGuard {
  readonly token = randomBytes(24).toString('base64url');

  /** @param port the server's, known once it listens. */
  constructor(private readonly port: () => number) {}

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

  /** A WebSocket or an upload must come from our page: browsers always send its origin then. */
  isOurPage(request: IncomingMessage): boolean {
    return this.isOurOrigin(request) && request.headers.origin !== undefined && this.hasSession(request);
  }

  hasSession({ headers }: IncomingMessage): boolean {
    const name = `${this.cookieName()}=`;
    const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
    const value = cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length);
    return value !== undefined && this.isToken(value);
  }

  isToken(value: string): boolean {
    const given = Buffer.from(value);
    const expected = Buffer.from(this.token);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** Cookies are shared between ports of a host, hence the port in the name. */
  cookie(): string {
    return `${this.cookieName()}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }

  private cookieName(): string {
    return `sluice-session-${this.port()}`;
  }
}
