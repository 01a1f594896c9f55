import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { logSpans, plainLine } from './ansi';
import { EMPTY_LOG, linesWith, MOST_LETTERS, withEarlier, withMore } from './log-text';

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', 'é'), maxLength: 80 });

describe('the text of a log', () => {
  it('is the same however it comes in parts', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), (parts) => {
        const inParts = parts.reduce((log, part) => withMore(log, part), EMPTY_LOG);
        expect(inParts).toEqual(withMore(EMPTY_LOG, parts.join('')));
      }),
    );
  });

  it('is the same when its beginning comes later', () => {
    fc.assert(
      fc.property(text, text, (older, newer) => {
        const log = withEarlier(withMore(EMPTY_LOG, newer), older);
        const whole = withMore(EMPTY_LOG, older + newer);
        expect(log.lines).toEqual(whole.lines);
      }),
    );
  });

  it('lets the oldest lines go and cuts a line without end', () => {
    const log = withMore(EMPTY_LOG, '1\n2\n3\n4\n5\n', 3);
    expect(log).toEqual({ lines: ['3', '4', '5'], isOpen: false, dropped: 2 });
    expect(withMore(EMPTY_LOG, 'x'.repeat(10 * MOST_LETTERS)).lines[0]?.length).toBeLessThan(
      MOST_LETTERS + 9,
    );
  });

  it('is found in whatever its case', () => {
    expect(linesWith(['Loss 1', 'x', 'lossy'], 'LOSS')).toEqual([0, 2]);
    expect(linesWith(['a'], '')).toEqual([]);
  });
});

describe('a line', () => {
  it.each([
    ['plain', [{ text: 'plain' }]],
    ['\u001b[31mred\u001b[0m end', [{ text: 'red', colour: 1 }, { text: ' end' }]],
    [
      '\u001b[1;92mok\u001b[22m.',
      [
        { text: 'ok', isBold: true, colour: 2 },
        { text: '.', colour: 2 },
      ],
    ],
    ['10%\r50%\r100%\r', [{ text: '100%' }]],
    ['\u001b[2K\u001b[1Gdone\u0007', [{ text: 'done' }]],
    ['\u001b]0;title\u0007x', [{ text: 'x' }]],
    ['\u001b[38;5;12mblue\u001b[m', [{ text: 'blue' }]],
  ])('of %j shows what a terminal would', (line, spans) => expect(logSpans(line)).toEqual(spans));

  it('has no control letters in what is searched', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 60 }), (line) => {
        expect(plainLine(line.replaceAll('\n', ''))).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
      }),
    );
  });
});
