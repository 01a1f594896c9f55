import { describe, expect, it } from 'vitest';

import { parentMessageOf } from './parent-message';

function read(data: unknown): { readonly message: unknown; readonly logged: string } {
  const lines: string[] = [];
  const message = parentMessageOf(data, (line) => lines.push(line));
  return { message, logged: lines.join('\n') };
}

describe('a message of the main process', () => {
  it.each([
    { kind: 'connect' },
    { kind: 'tokens', tokens: {}, missing: [] },
    { kind: 'tokens', tokens: { edge: 'a-token' }, missing: ['cloud'] },
  ])('is taken: %j', (data) => expect(read(data)).toEqual({ message: data, logged: '' }));

  it.each([
    [undefined, /input: /],
    ['connect', /input: /],
    [{ kind: 'stop' }, /kind: /],
    [{ kind: 'tokens', tokens: { edge: 'a-token' } }, /missing: /],
    [{ kind: 'tokens', tokens: { edge: '' }, missing: [] }, /tokens\.edge: /],
    [{ kind: 'tokens', tokens: ['a-token'], missing: 'cloud' }, /tokens: .*missing: /],
  ])('is refused and told, without a token: %j', (data, logged) => {
    const answer = read(data);
    expect(answer).toEqual({ message: undefined, logged: expect.stringMatching(logged) as string });
    expect(answer.logged).not.toContain('a-token');
  });
});
