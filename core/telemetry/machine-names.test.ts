import { describe, expect, it } from 'vitest';

import { cpuTitle, osReleaseName, osTitle } from './machine-names';

describe('the names of a machine', () => {
  it.each([
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"', 'Debian GNU/Linux 12'],
    ['NAME=Ubuntu\nPRETTY_NAME="Ubuntu 22.04.3 LTS"\n', 'Ubuntu 22.04.3 LTS'],
    ["PRETTY_NAME='Alpine Linux v3.20'", 'Alpine Linux v3.20'],
    ['PRETTY_NAME=Arch', 'Arch'],
    ['PRETTY_NAME=""', undefined],
    ['NOT_PRETTY_NAME="x"', undefined],
    ['', undefined],
  ])('%j is %j', (text, name) => {
    expect(osReleaseName(text)).toBe(name);
  });

  it('are found here', async () => {
    expect(await osTitle()).toContain(process.arch);
    expect(await cpuTitle()).not.toBe('');
  });
});
