import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';

import { describe, expect, it } from 'vitest';

import { OriginCheck } from './origin-check';
import type { OriginCheckOptions } from './origin-check';

const OWN = hostname().toLowerCase();

function check(options: Partial<OriginCheckOptions> = {}): OriginCheck {
  return new OriginCheck({
    port: () => 8787,
    secure: false,
    allowedHosts: [],
    behindProxy: false,
    ...options,
  });
}

function asked(
  headers: Readonly<Record<string, string>>,
  localAddress = '127.0.0.1',
  method = 'GET',
): IncomingMessage {
  return { headers, method, socket: { localAddress } } as unknown as IncomingMessage;
}

describe('Host', () => {
  it.each([
    ['127.0.0.1:8787', '127.0.0.1'],
    ['localhost:8787', '127.0.0.1'],
    ['localhost:8787', '::1'],
    ['[::1]:8787', '::1'],
    ['192.168.7.20:8787', '192.168.7.20'],
    ['192.168.7.20:8787', '::ffff:192.168.7.20'],
    ['[fd00::1]:8787', 'fd00::1'],
    [`${OWN}:8787`, '192.168.7.20'],
    [`${OWN.toUpperCase()}:8787`, '192.168.7.20'],
    [`${OWN.split('.')[0] ?? ''}.local:8787`, '192.168.7.20'],
  ])('%s is ours where the connection came in at %s', (host, local) => {
    expect(check().refusal(asked({ host }, local))).toBeUndefined();
  });

  it.each([
    ['rebound.example:8787', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1:8788', '127.0.0.1'],
    ['192.168.7.21:8787', '192.168.7.20'],
    ['localhost:8787', '192.168.7.20'],
    ['localhost.example:8787', '127.0.0.1'],
    ['user@127.0.0.1:8787', '127.0.0.1'],
    ['127.0.0.1:8787/', '127.0.0.1'],
    ['127.1:8787', '127.0.0.1'],
    ['', '127.0.0.1'],
    [' ', '127.0.0.1'],
  ])('%j is not, at %s', (host, local) => {
    expect(check().refusal(asked({ host }, local))).toMatch(/another name.*--allowed-host/);
  });

  it('none at all is not', () => expect(check().refusal(asked({}))).toMatch(/another name/));

  it('may be a further name, at our port or at the one that is given', () => {
    const named = check({ allowedHosts: ['Box.example', 'tunnel.example:443'] });
    const refusal = (host: string): string | undefined => named.refusal(asked({ host }, '10.0.0.2'));
    expect(refusal('box.example:8787')).toBeUndefined();
    expect(refusal('tunnel.example:443')).toBeUndefined();
    expect(refusal('box.example:1')).toBeDefined();
    expect(refusal('tunnel.example:8787')).toBeDefined();
  });

  it('may have the proxy’s port, or none, behind one', () => {
    const proxied = check({ behindProxy: true, allowedHosts: ['box.example'] });
    expect(proxied.refusal(asked({ host: 'box.example', origin: 'https://box.example' }))).toBeUndefined();
    expect(proxied.refusal(asked({ host: 'other.example' }))).toBeDefined();
  });
});

describe('Origin', () => {
  const host = '127.0.0.1:8787';
  it.each([
    'http://127.0.0.1:8788',
    'http://127.0.0.1',
    'https://127.0.0.1:8787',
    'http://localhost:8787',
    'http://evil.example',
    'http://127.0.0.1:8787.evil.example',
    'null',
    '',
  ])('%j is another page', (origin) => {
    expect(check().refusal(asked({ host, origin }))).toMatch(/another origin/);
    expect(check().isOurPage(asked({ host, origin }))).toBe(false);
  });

  it('of ours has our scheme', () => {
    const origin = 'https://127.0.0.1:8787';
    expect(check({ secure: true }).refusal(asked({ host, origin }))).toBeUndefined();
    expect(check({ secure: true }).isOurPage(asked({ host, origin }))).toBe(true);
    expect(check().isOurPage(asked({ host }))).toBe(false);
  });
});

describe('Sec-Fetch-Site', () => {
  const host = '127.0.0.1:8787';
  const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  it.each([
    ['a picture of another site', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a picture of another port', 'GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
    ['a frame', 'GET', { 'sec-fetch-site': 'cross-site', ...link, 'sec-fetch-dest': 'iframe' }],
    ['a form', 'POST', { 'sec-fetch-site': 'cross-site', ...link }],
  ])('refuses %s', (_what, method, headers) => {
    expect(check().refusal(asked({ host, ...headers }, '127.0.0.1', method))).toMatch(/another site/);
  });

  it.each([
    ['a link on another site', { 'sec-fetch-site': 'cross-site', ...link }],
    ['an address that was typed', { 'sec-fetch-site': 'none', ...link }],
    ['our own page', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
  ])('lets %s in', (_what, headers) => {
    expect(check().refusal(asked({ host, ...headers }))).toBeUndefined();
  });
});
