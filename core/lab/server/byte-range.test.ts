import { describe, expect, it } from 'vitest';

import { parseByteRange } from './byte-range';

describe('parseByteRange', () => {
  it.each([
    [undefined, undefined],
    ['bytes=0-', { first: 0, last: 9 }],
    ['bytes=2-4', { first: 2, last: 4 }],
    [' bytes=2-4 ', { first: 2, last: 4 }],
    ['bytes=9-9', { first: 9, last: 9 }],
    ['bytes=5-500', { first: 5, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-30', { first: 0, last: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=99999999999999999999999-', 'unsatisfiable'],
    ['bytes=4-2', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=a-b', undefined],
    ['lines=1-2', undefined],
  ])('of 10 bytes, %j asks for %j', (header, range) => expect(parseByteRange(header, 10)).toEqual(range));

  it.each(['bytes=0-', 'bytes=-1'])('of an empty file, %j asks for what is not there', (header) =>
    expect(parseByteRange(header, 0)).toBe('unsatisfiable'),
  );
});
