import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { ChatTemplate } from './chat-template';

const clock = { nowMs: () => new Date(2026, 6, 4, 15, 5, 9).getTime() };
const tokens = { bosToken: '<s>', eosToken: '</s>' };
const render = (text: string, content = 'Hi'): string =>
  new ChatTemplate('tiny', text, clock).render([{ role: 'user', content }], tokens);

describe('a chat template', () => {
  it.each([
    [
      "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m.content }}{{ eos_token }}{% endfor %}",
      '<s>user: Hi</s>',
    ],
    [
      "{{ strftime_now('%d %b %Y, %H:%M:%S %I%p %A %a %y %B %m %%q %q') }}",
      '04 Jul 2026, 15:05:09 03PM Saturday Sat 26 July 07 %q %q',
    ],
    ['{% for i in range(3) %}{{ i }}{% endfor %}{{ range(5, 1, -2) }}', '012[5, 3]'],
    ['{{ tools is defined }} {{ True and not none }}', 'false true'],
  ])('renders %s', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  it('takes long conversations', () => {
    const text =
      '{% for m in messages %}{% if loop.first or messages[loop.index0 - 1].role != "tool" %}' +
      '{{ "<|" ~ m.role ~ "|>" + m.content | trim }}{% endif %}{% endfor %}';
    const message = { role: 'user' as const, content: 'word '.repeat(400) };
    const template = new ChatTemplate('tiny', text);
    const whole = template.render(
      Array.from({ length: 1000 }, () => message),
      tokens,
    );
    expect(whole).toHaveLength(1000 * ('<|user|>'.length + 1999));
  });

  it('says so when it refuses the messages', () => {
    expect(() => render("{{ raise_exception('roles must alternate') }}")).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringMatching(/roles must alternate/) as string,
      }) as Error,
    );
  });
});

const DOUBLE =
  '{% set ns = namespace(v="xxxxxxxx") %}{% for i in range(60) %}{% set ns.v = ns.v ~ ns.v %}{% endfor %}';
/** Lists that share their parts: small in memory, endless when written out. */
const NEST =
  '{% set ns = namespace(v=[1]) %}{% for i in range(40) %}{% set ns.v = [ns.v, ns.v] %}{% endfor %}';
const LOOPS = (body: string, depth: number): string =>
  Array.from({ length: depth }, (_, at) => `{% for i${at} in range(90000) %}`).join('') +
  body +
  '{% endfor %}'.repeat(depth);

/** By the deadline, or before it by what was made: that depends on the machine. */
const STOPPED = /was stopped: it (takes longer than 2 s|makes more text)/;

describe('a template that would never end is stopped', () => {
  it.each<readonly [string, string, RegExp]>([
    [
      'a huge range',
      '{% for i in range(999999999) %}{% endfor %}',
      /a range of 999999999 numbers; up to 100000/,
    ],
    ['a range without end', '{{ range(0, 5, 0) }}', /a range of Infinity numbers/],
    ['loops in loops', LOOPS('{{ i0 }}', 4), STOPPED],
    ['empty loops in loops', LOOPS('', 4), STOPPED],
    ['text that doubles', DOUBLE, /makes more text/],
    ['lists written out', `${NEST}{{ ns.v | tojson }}`, STOPPED],
    ['brackets in brackets', `{{ ${'('.repeat(200_000)}`, /was stopped: .*call stack/],
    [
      'spaces that a pattern tries over and over',
      `${' '.repeat(1_000_000)}x{% `,
      /longer than 2 s|can't be read/,
    ],
  ])('%s', { timeout: 60_000 }, (_name, text, message) => {
    let thrown: unknown;
    try {
      render(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SluiceError);
    expect(thrown).toMatchObject({ code: 'unsupported', message: expect.stringMatching(message) as string });
  });

  it('and the next one renders', () => {
    expect(() => render(LOOPS('', 4))).toThrow(/stopped/);
    expect(render('{{ messages[0].content }}')).toBe('Hi');
  });
});
