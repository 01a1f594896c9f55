import { createHash, timingSafeEqual } from 'node:crypto';

import { SluiceError } from '../../contract';

const SHORTEST_TOKEN = 16;

/** Decides who may use a server: whoever has one of the tokens. Without any everybody who reaches it may. */
export class BearerToken {
  private readonly expected: readonly Buffer[];

  /** @throws SluiceError `bad-input` for a token short enough to guess. */
  constructor(...tokens: readonly (string | undefined)[]) {
    const given = tokens.filter((token) => token !== undefined);
    const short = given.find((token) => token.length < SHORTEST_TOKEN);
    if (short !== undefined) {
      throw new SluiceError(
        'bad-input',
        `The token: expected at least ${SHORTEST_TOKEN} characters, found ${short.length}.`,
      );
    }
    this.expected = given.map(digest);
  }

  /** Whether everybody may. */
  get isOpen(): boolean {
    return this.expected.length === 0;
  }

  /**
   * Hashes are compared: they are of one length, so that the time tells neither where the texts differ nor how long
   * the right one is.
   * @param authorization value of the header or metadata key of that name.
   * @throws SluiceError `unauthorized`.
   */
  check(authorization: string | undefined): void {
    if (this.expected.length === 0) return;
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && this.expected.some((one) => timingSafeEqual(digest(given), one))) return;
    throw new SluiceError(
      'unauthorized',
      `${given === undefined ? 'No bearer token was sent' : 'The bearer token is wrong'}; ` +
        'expected "authorization: Bearer TOKEN" with the token this server was started with.',
    );
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
