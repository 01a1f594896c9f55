import { TextDecoder } from 'node:util';

/**
 * Text of tokens as they come: a letter is given out when its last byte is there, never half of it. Bytes that are
 * no UTF-8 become U+FFFD, as in any browser.
 */
export class TextStream {
  private decoder = newDecoder();

  constructor(private readonly bytesOf: (token: number) => Uint8Array) {}

  /** What the token completes; '' while a letter lacks bytes. */
  push(token: number): string {
    return this.decoder.decode(this.bytesOf(token), { stream: true });
  }

  /** What is left at the end of the text; the stream then begins anew. */
  end(): string {
    const rest = this.decoder.decode();
    this.decoder = newDecoder();
    return rest;
  }
}

function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
