import { SPACE_MARK } from './sentencepiece-merges';

/** How the text of a token stands for bytes. */
export type TokenSpelling = 'byte-level' | 'sentencepiece';

const utf8 = new TextEncoder();

/**
 * The bytes a token adds to a text. Several tokens may make up one letter, so bytes and not text.
 * @param isText the token stands for its own text (special and added tokens).
 */
export function tokenBytes(token: string, spelling: TokenSpelling, isText: boolean): Uint8Array {
  if (isText) return utf8.encode(token);
  if (spelling === 'byte-level') return byteLevelBytes(token);
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  return byte === undefined
    ? utf8.encode(token.replaceAll(SPACE_MARK, ' '))
    : Uint8Array.of(parseInt(byte, 16));
}

/**
 * GPT-2 writes every byte as a printable letter: itself where it is one, else the next free letter from U+0100 on
 * (`bytes_to_unicode` of its encoder.py).
 */
function byteLevelBytes(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const letter of token) {
    const byte = BYTE_OF_LETTER.get(letter);
    if (byte === undefined) bytes.push(...utf8.encode(letter));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

const isPrintable = (byte: number): boolean =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
const BYTE_OF_LETTER = letters();

function letters(): ReadonlyMap<string, number> {
  const map = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte += 1) {
    map.set(String.fromCharCode(isPrintable(byte) ? byte : next++), byte);
  }
  return map;
}
