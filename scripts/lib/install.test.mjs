import { expect, it } from 'vitest';
import { installAdvice } from './install.mjs';

it.each([
  ['npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write', /The disk is full/],
  ['npm error code EACCES\nnpm error path /srv/sluice/node_modules/zod', /belong to another user/],
  [
    'npm error code E407\nnpm error 407 Proxy Authentication Required - GET',
    /The proxy wants a name and password/,
  ],
  ['npm error code SELF_SIGNED_CERT_IN_CHAIN', /NODE_EXTRA_CA_CERTS/],
  ['npm error code ENOTFOUND\nnpm error network request failed', /could not be reached.*https-proxy/],
  ['npm error code ECONNREFUSED', /could not be reached/],
  ['npm error code E404\nnpm error 404 Not Found - GET', /has not what package-lock.json names/],
  ['npm error code EINTEGRITY', /has not what package-lock.json names/],
  ['spawn npm ENOENT', /There is no npm beside this Node/],
  ['npm error something else', /npm's own log/],
])('%s: is told what to do', (output, advice) => {
  expect(installAdvice(output)).toMatch(advice);
});
