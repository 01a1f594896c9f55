import { expect, it } from 'vitest';

import { signalOf } from './ending-signal';

it.each([
  ['killed', 9, 'linux', 'SIGKILL'],
  ['aborted, with a core', 0x86, 'linux', 'SIGABRT'],
  ['ended with code 1, as the status of waitpid', 1 << 8, 'linux', undefined],
  ['ended', 0, 'darwin', undefined],
  ["Windows' code of an access violation", 0xc0000005 | 0, 'win32', undefined],
] as const)('%s', (_what, exitCode, platform, expected) => {
  expect(signalOf(exitCode, platform)).toBe(expected);
});
