import { z } from 'zod';

import { parseUrl } from '../../base';
import { SluiceError } from '../../contract';
import { listOf } from '../../storage';

/** What is remembered of a box between starts: no secret. */
export interface KnownBox {
  readonly id: string;
  readonly name: string;
  /** Without token, query and trailing slashes. */
  readonly url: string;
  /** It was added with a token, which is kept elsewhere or must be entered again. */
  readonly hasToken: boolean;
  /** SHA-256 of its certificate, `AB:CD:...`; absent where an authority vouches for it. */
  readonly certificateFingerprint?: string | undefined;
}

export const fleetSchema: z.ZodType<readonly KnownBox[]> = listOf(
  z.object({
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/),
    name: z.string(),
    url: z.string(),
    hasToken: z.boolean(),
    certificateFingerprint: z.string().optional(),
  }),
);

/** Under this name a keychain keeps a box's token, beside those of endpoints. */
export function secretIdOf(box: string): string {
  return `box:${box}`;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const EXPECTED = 'expected the address that "sluice host" prints, such as https://box.lan:8787';

/** Takes the token out of an address. @throws SluiceError `bad-input`. */
export function boxAddress(text: string): {
  readonly url: string;
  readonly host: string;
  readonly token?: string;
} {
  const url = parseUrl(text.trim());
  // The text may hold a token, so it is not repeated.
  if (!url) throw new SluiceError('bad-input', `Address: ${EXPECTED}.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new SluiceError('bad-input', `Address: ${EXPECTED}; found ${url.protocol}//.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new SluiceError(
      'bad-input',
      'Address: expected no user or password in it; give the token beside it.',
    );
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    throw new SluiceError(
      'bad-input',
      `Address: http:// would send the token to ${url.hostname} for everybody to read. Use https:// (sluice host with a ` +
        'certificate), or an SSH tunnel to 127.0.0.1.',
    );
  }
  const token = url.searchParams.get('token');
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    host: url.host,
    ...(token !== null && token !== '' && { token }),
  };
}

/** `AB:CD:...` of 64 hex digits in any of the usual spellings. @throws SluiceError `bad-input`. */
export function fingerprintOf(text: string): string {
  const digits = text
    .trim()
    .replace(/^sha-?256[:=/ ]*/i, '')
    .replace(/[:\s]/g, '')
    .toUpperCase();
  if (/^[0-9A-F]{64}$/.test(digits)) return digits.match(/../g)?.join(':') ?? '';
  throw new SluiceError(
    'bad-input',
    `Certificate fingerprint: expected the 64 hex digits of SHA-256 that "sluice host" prints, found "${text}".`,
  );
}
