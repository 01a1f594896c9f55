import { describe, expect, it } from 'vitest';

import { checkHostOptions } from './host-options';
import type { HostOptions } from './host-options';

const BASE: HostOptions = { host: '127.0.0.1', port: 8787, sessionMinutes: 720, idleMinutes: 60 };
const OPEN = { ...BASE, host: '0.0.0.0' };

describe('what the host is started with', () => {
  it.each([
    ['loopback', BASE, true],
    ['loopback by name', { ...BASE, host: 'localhost' }, true],
    ['loopback of IPv6', { ...BASE, host: '::1' }, true],
    ['a network with TLS', { ...OPEN, tls: 'self-signed' }, false],
    ['a network with files', { ...OPEN, tlsCert: 'c', tlsKey: 'k' }, false],
    ['a network behind a proxy', { ...OPEN, insecureHttp: true }, false],
    ['root that becomes another', { ...OPEN, tls: 'self-signed', user: 'sluice' }, true],
    ['root that must', { ...OPEN, tls: 'self-signed', allowRoot: true }, true],
    ['further names', { ...BASE, allowedHost: ['box.example', 'box:443'] }, false],
  ] as const)('goes: %s', (_what, options, isRoot) => {
    expect(() => checkHostOptions(options, isRoot)).not.toThrow();
  });

  it.each([
    ['a network without TLS', OPEN, false, /--tls self-signed.*--insecure-http/],
    ['every address of IPv6', { ...BASE, host: '::' }, false, /--tls self-signed/],
    ['a name that is not loopback', { ...BASE, host: 'box.example' }, false, /--tls self-signed/],
    ['root on a network', { ...OPEN, tls: 'self-signed' }, true, /--user NAME.*--allow-root/],
    ['two certificates', { ...OPEN, tls: 'self-signed', tlsCert: 'c' }, false, /leave out --tls-cert/],
    ['TLS and none', { ...OPEN, tls: 'self-signed', insecureHttp: true }, false, /Leave one out/],
    ['a URL for a name', { ...BASE, allowedHost: ['https://box'] }, false, /NAME or NAME:PORT/],
    ['a pattern for a name', { ...BASE, allowedHost: ['*.example'] }, false, /NAME or NAME:PORT/],
  ] as const)('is refused: %s', (_what, options, isRoot, message) => {
    expect(() => checkHostOptions(options, isRoot)).toThrow(message);
  });
});
