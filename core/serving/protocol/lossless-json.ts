/** The shortest run of digits that a double may not hold exactly. */
const LONG_DIGITS = 16;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * `JSON.parse`, except that in a text that mentions 64-bit tensors long integers become their decimal text: as numbers
 * they would be rounded to a double without a word.
 * @throws SyntaxError as `JSON.parse`.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(/"U?INT64"/.test(text) ? quoteLongIntegers(text) : text);
}

function quoteLongIntegers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (isNumberPart(code)) {
      const end = numberEnd(text, at);
      if (isLongInteger(text, at, end)) {
        parts.push(text.slice(copied, at), '"', text.slice(at, end), '"');
        copied = end;
      }
      at = end;
    } else at += 1;
  }
  parts.push(text.slice(copied));
  return parts.join('');
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function numberEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && isNumberPart(text.charCodeAt(at))) at += 1;
  return at;
}

/** `0-9 + - . e E` */
function isNumberPart(code: number): boolean {
  return (
    (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46 || code === 69 || code === 101
  );
}

function isLongInteger(text: string, start: number, end: number): boolean {
  return end - start >= LONG_DIGITS && /^-?[1-9]\d*$/.test(text.slice(start, end));
}
