import type { IncomingMessage } from 'node:http';

import type { AccessTokens, TokenHash } from './access-tokens';
import { isLoopback, plainAddress } from './addresses';
import type { RateLimits } from './rate-limits';
import type { Session, Sessions } from './sessions';

/** Who asks: one with a session, or nobody, and why. */
export type Visitor =
  | { readonly kind: 'known'; readonly session: Session }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'wrong-token' }
  | { readonly kind: 'wait'; readonly retryAfterSec: number };

export type TokenAnswer =
  { readonly kind: 'right'; readonly token: TokenHash } | Extract<Visitor, { kind: 'wrong-token' | 'wait' }>;

export interface SessionGuardOptions {
  readonly port: () => number;
  readonly secure: boolean;
  readonly behindProxy: boolean;
  readonly tokens: AccessTokens;
  readonly sessions: Sessions;
  readonly limits: RateLimits;
}

/**
 * Decides who a request is from. Browsers bring the cookie of a session, programs the token itself. Which page a
 * browser shows was checked before (`OriginCheck`).
 */
export class SessionGuard {
  constructor(private readonly options: SessionGuardOptions) {}

  async visitor(request: IncomingMessage): Promise<Visitor> {
    const { sessions, limits } = this.options;
    const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) {
      const answer = await this.token(request, bearer);
      return answer.kind === 'right' ? { kind: 'known', session: sessions.ofProgram(answer.token) } : answer;
    }
    const id = this.cookieOf(request);
    const session = id === undefined ? undefined : sessions.find(id);
    if (session !== undefined) return { kind: 'known', session };
    const retryAfterSec = await limits.stranger(this.addressOf(request));
    return retryAfterSec === undefined ? { kind: 'stranger' } : { kind: 'wait', retryAfterSec };
  }

  /** Whether a token opens this host; an address that gave too many wrong ones has to wait, with a right one too. */
  async token(request: IncomingMessage, given: string): Promise<TokenAnswer> {
    const { tokens, limits } = this.options;
    const address = this.addressOf(request);
    const token = tokens.matching(given);
    const retryAfterSec = await (token === undefined ? limits.wrongToken(address) : limits.isBarred(address));
    if (retryAfterSec !== undefined) return { kind: 'wait', retryAfterSec };
    return token === undefined ? { kind: 'wrong-token' } : { kind: 'right', token };
  }

  /** The id goes to scripts of no page, and along from pages of ours only. */
  cookie({ headers }: IncomingMessage, id: string): string {
    const overTls = this.options.secure || (headers.origin ?? '').startsWith('https:');
    return `${this.cookieName()}=${id}; HttpOnly; SameSite=Strict; Path=/${overTls ? '; Secure' : ''}`;
  }

  noCookie(request: IncomingMessage): string {
    return `${this.cookie(request, '')}; Max-Age=0`;
  }

  /** Of the other end; behind a proxy of this machine, the one that the proxy saw. */
  addressOf({ socket, headers }: IncomingMessage): string {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (!this.options.behindProxy || !isLoopback(peer)) return peer;
    const seen = [headers['x-forwarded-for']].flat().join(',').split(',').at(-1)?.trim();
    return seen === undefined || seen === '' ? peer : plainAddress(seen);
  }

  private cookieOf({ headers }: IncomingMessage): string | undefined {
    const name = `${this.cookieName()}=`;
    const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
    return cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length);
  }

  /** Cookies are shared between ports of a host, hence the port in the name. Over TLS no plain page can set it. */
  private cookieName(): string {
    return `${this.options.secure ? '__Host-' : ''}sluice-session-${this.options.port()}`;
  }
}
