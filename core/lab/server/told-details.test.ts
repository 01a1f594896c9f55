import { expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import type { ErrorDetails } from '../../contract';
import { toldDetails } from './told-details';

const told = (details: ErrorDetails): ErrorDetails => toldDetails(new SluiceError('io', 'no', details));

it('leaves credentials out of addresses, wherever they stand', () => {
  expect(
    told({ url: 'https://ann:pass@lab.example/x', tries: ['to http://t0ken@host: refused', 'fine'] }),
  ).toEqual({
    url: 'https://lab.example/x',
    tries: ['to http://host: refused', 'fine'],
  });
});

it.each([
  'token',
  'launchToken',
  'PASSWORD',
  'passphrase',
  'clientSecret',
  'set-cookie',
  'api_key',
  'privateKey',
])('tells nothing that is named %s', (name) =>
  expect(told({ [name]: 'x', path: '/lab' })).toEqual({ path: '/lab' }),
);

it('cuts what nobody reads', () => {
  const { text, list } = told({ text: 'x'.repeat(9000), list: Array.from({ length: 900 }, String) });
  expect(text).toHaveLength(2000);
  expect(list).toHaveLength(100);
});
