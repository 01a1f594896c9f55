import type { Keychain } from '../transport';

/** As in a browser: secrets can't be kept. */
export const NO_KEYCHAIN: Keychain = {
  state: () => Promise.resolve({ available: false, reason: 'a test has no keychain' }),
  keep: () => Promise.reject(new Error('a test has no keychain')),
  forget: () => Promise.resolve(),
};
