import { expect, it } from 'vitest';

import { isLoopback, rateKey } from './addresses';

it.each(['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1'])(
  '%s leads to this machine only',
  (address) => expect(isLoopback(address)).toBe(true),
);

it.each(['0.0.0.0', '::', '10.0.0.1', '127.example', 'localhost.example', '128.0.0.1', ''])(
  '%j may be reached by others',
  (address) => expect(isLoopback(address)).toBe(false),
);

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:0db8::9', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
])('%s is counted as %s', (address, key) => expect(rateKey(address)).toBe(key));
