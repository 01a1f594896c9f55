import { describe, expect, it } from 'vitest';

import { boxAddress, fingerprintOf } from './known-box';

const HEX = 'AB'.repeat(32);
const COLONS = 'AB:'.repeat(31) + 'AB';

describe('an address', () => {
  it.each([
    ['https://box.lan:8787', { url: 'https://box.lan:8787', host: 'box.lan:8787' }],
    [' https://box.lan:8787/ ', { url: 'https://box.lan:8787', host: 'box.lan:8787' }],
    ['https://box.lan/sluice/?token=abc', { url: 'https://box.lan/sluice', host: 'box.lan', token: 'abc' }],
    [
      'http://127.0.0.1:8787/?token=abc',
      { url: 'http://127.0.0.1:8787', host: '127.0.0.1:8787', token: 'abc' },
    ],
    ['http://[::1]:8787', { url: 'http://[::1]:8787', host: '[::1]:8787' }],
    ['https://box.lan/?token=', { url: 'https://box.lan', host: 'box.lan' }],
  ])('%s is taken', (text, expected) => expect(boxAddress(text)).toEqual(expected));

  it.each([
    ['box.lan', /expected the address/],
    ['box.lan:8787', /found box\.lan:\/\//],
    ['ftp://box.lan', /found ftp:/],
    ['https://me:secret@box.lan', /no user or password/],
    ['http://box.lan:8787/?token=secret', /for everybody to read/],
    ['http://127.0.0.1.evil.example', /for everybody to read/],
  ])('%s is refused', (text, message) => {
    expect(() => boxAddress(text)).toThrow(message);
    expect(() => boxAddress(text)).not.toThrow(/secret/);
  });
});

describe('a fingerprint', () => {
  it.each([
    HEX,
    HEX.toLowerCase(),
    COLONS,
    `sha256:${COLONS}`,
    `SHA256 ${HEX}`,
    `  ${COLONS.replaceAll(':', ' ')} `,
  ])('%s is taken', (text) => expect(fingerprintOf(text)).toBe(COLONS));

  it.each(['', 'AB', `${HEX}AB`, COLONS.replace('AB', 'XY')])('%j is refused', (text) =>
    expect(() => fingerprintOf(text)).toThrow(/64 hex digits/),
  );
});
