/** First and last of each range of characters that steer a terminal, or the order in which others are shown. */
const STEERING: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
];
const ESCAPE = '\u001b';
/** Colours and weights: all that programs need of a terminal, and nothing that moves or tells. */
const COLOUR = /^\[[0-9;]{0,32}m/;

/**
 * A text as a terminal may be given it: names, messages and logs come from models, servers and programs, and a terminal
 * obeys what it is sent. What steers is written as JSON writes it (`\u001b`), so that JSON stays JSON. Line feeds and tabs stay.
 * @param allow `colours` of a program's own log stay, and its carriage returns.
 */
export function printable(text: string, allow: 'nothing' | 'colours' = 'nothing'): string {
  return text.replace(/[^ -~]/g, (found, at: number) => {
    const code = found.charCodeAt(0);
    if (found === '\n' || found === '\t' || (found === '\r' && text[at + 1] === '\n')) return found;
    if (!STEERING.some(([first, last]) => first <= code && code <= last)) return found;
    if (allow === 'colours' && (found === '\r' || isColour(text, at))) return found;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

function isColour(text: string, at: number): boolean {
  return text[at] === ESCAPE && COLOUR.test(text.slice(at + 1, at + 40));
}
