import { SluiceError } from '../../contract';

/**
 * Splits a text into arguments as a POSIX shell does, without expanding anything: spaces part, quotes and backslashes keep
 * together.
 * @throws SluiceError `bad-input` for a quote that is not closed.
 */
export function splitArguments(text: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  /** Also an empty text in quotes is an argument. */
  let isOpen = false;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    const next = text[at + 1] ?? '';
    if (quote === '' && /[ \t\r\n]/.test(character)) {
      if (isOpen) parts.push(part);
      part = '';
      isOpen = false;
      continue;
    }
    isOpen = true;
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === '\\' && next !== '' && (quote === '' || (quote === '"' && /["\\$`]/.test(next)))) {
      part += next;
      at += 1;
    } else part += character;
  }
  if (quote !== '') {
    throw new SluiceError(
      'bad-input',
      `args: expected a closing ${quote}, found the end of ${JSON.stringify(text)}.`,
    );
  }
  if (isOpen) parts.push(part);
  return parts;
}
