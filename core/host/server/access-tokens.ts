import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What is kept of a token: its SHA-256, in hexadecimal. Enough for one that nobody can guess. */
export type TokenHash = string;

/** Where tokens that open this host come from; asked again each time, because the kept one may be replaced. */
export type TokenSource = () => TokenHash | undefined;

/** 256 bits: beyond guessing, so its plain hash needs neither salt nor a slow function. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function hashOf(token: string): TokenHash {
  return createHash('sha256').update(token).digest('hex');
}

/** The tokens that open this host now. */
export class AccessTokens {
  constructor(private readonly sources: readonly TokenSource[]) {}

  /**
   * Takes the same time whatever is given: hashes of one length are compared, all of them.
   * @returns the hash of the token that was given, if it opens this host.
   */
  matching(token: string): TokenHash | undefined {
    const hash = hashOf(token);
    return this.holds(hash) ? hash : undefined;
  }

  isEmpty(): boolean {
    return this.sources.every((source) => source() === undefined);
  }

  /** Whether the token of that hash still opens this host. */
  holds(hash: TokenHash): boolean {
    const given = Buffer.from(hash, 'hex');
    return this.sources
      .map((source) => source())
      .map((known) => known !== undefined && timingSafeEqual(given, Buffer.from(known, 'hex')))
      .includes(true);
  }
}
