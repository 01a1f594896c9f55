import { describe, expect, it } from 'vitest';

import { updateProblem } from './update-problems';

const origin = 'https://updates.example';
const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('why an update failed', () => {
  it.each([
    [
      coded('ERR_UPDATER_CHANNEL_FILE_NOT_FOUND', 'Cannot find channel "latest.yml" update info: 404\n at x'),
      'https://updates.example has no latest.yml at the address that was named',
    ],
    [
      coded('ERR_CHECKSUM_MISMATCH', 'sha512 checksum mismatch, expected a, got b'),
      'the file is not the one that https://updates.example describes (its SHA-512 differs), and was thrown away',
    ],
    [
      coded('HTTP_ERROR_503', '503 \nHeaders: {}'),
      'https://updates.example answers 503 for its list of versions',
    ],
    [
      new Error('Cannot download "https://updates.example/files/new.AppImage", status 404: Not Found'),
      'https://updates.example answers 404 for /files/new.AppImage',
    ],
    [
      new Error('net::ERR_CONNECTION_REFUSED'),
      "https://updates.example can't be reached (net::ERR_CONNECTION_REFUSED)",
    ],
    [
      new Error('ENOSPC: no space left on device, write\n    at stack'),
      'ENOSPC: no space left on device, write',
    ],
    ['a word', 'a word'],
    [null, 'null'],
  ])('%s', (thrown, words) => {
    expect(updateProblem(thrown, { origin })).toBe(words);
  });

  it('is another server, whatever became of that', () => {
    expect(
      updateProblem(new Error('net::ERR_BLOCKED_BY_CLIENT'), { origin, elsewhere: 'http://other' }),
    ).toBe('https://updates.example sends on to http://other, and only the server that was named is asked');
  });
});
