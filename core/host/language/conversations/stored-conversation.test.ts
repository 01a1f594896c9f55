import { describe, expect, it } from 'vitest';

import type { Message } from '../../../contract';
import { turnsOf } from './conversation-prompt';
import { titleOf } from './stored-conversation';

function message(role: Message['role'], text: string, state: Message['state'] = 'done'): Message {
  return { id: text, role, pieces: [{ text, tokens: 0, origin: 'prompt' }], state, at: '' };
}

describe('a title', () => {
  const long = 'How do the gates of a canal lock hold against the water of a whole river?';
  it.each([
    [[], 'New conversation'],
    [[message('system', 'Be brief')], 'New conversation'],
    [[message('system', 'Be brief'), message('user', '  Why\n is it so? ')], 'Why is it so?'],
    [[message('user', long)], 'How do the gates of a canal lock hold against the water of a…'],
    [[message('user', 'x'.repeat(70))], `${'x'.repeat(60)}…`],
    [[message('user', `${'x'.repeat(59)}😀😀`)], `${'x'.repeat(59)}…`],
  ])('of %j', (messages, title) => {
    expect(titleOf({ messages })).toBe(title);
  });

  it('is the user’s, if there is one', () => {
    expect(titleOf({ title: 'Locks', messages: [message('user', long)] })).toBe('Locks');
  });
});

describe('the turns a template is given', () => {
  it('leave out replies without a word and join what was asked before and after them', () => {
    const turns = turnsOf([
      message('system', 'Be brief'),
      message('user', 'One'),
      message('assistant', '', 'failed'),
      message('user', 'Two'),
      message('assistant', 'Half an ans', 'cancelled'),
      message('user', 'Three'),
    ]);
    expect(turns).toEqual([
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'One\n\nTwo' },
      { role: 'assistant', content: 'Half an ans' },
      { role: 'user', content: 'Three' },
    ]);
  });

  it('keep an empty system message: it stands for none', () => {
    expect(turnsOf([message('system', ''), message('user', 'One')])).toHaveLength(2);
  });
});
